"""A small store of orders."""

import json
from dataclasses import dataclass, field
from pathlib import Path


class StoreError(Exception):
    """What went wrong with a store."""

    def __init__(self, message, code=500):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Order:
    number: int
    lines: list[str] = field(default_factory=list)
    note: str = "none"

    def total(self, prices):
        total = 0
        for line in self.lines:
            if line not in prices:
                raise StoreError(f"no price for {line!r}", code=404)
            total += prices[line]
        return total


class Store:
    def __init__(self, path):
        self.path = Path(path)
        self.orders = {}

    def load(self):
        if not self.path.exists():
            return self
        with self.path.open(encoding="utf-8") as file:
            for row in json.load(file):
                order = Order(row["number"], row["lines"], note=row.get("note", ""))
                self.orders[order.number] = order
        return self

    def save(self):
        rows = [{"number": o.number, "lines": list(o.lines)} for o in self.orders.values()]
        self.path.write_text(json.dumps(rows, indent=2), encoding="utf-8")

    def find(self, number):
        try:
            return self.orders[number]
        except KeyError as missing:
            raise StoreError(f"no order {number}", code=404) from missing


def report(store, prices):
    lines = []
    for number, order in sorted(store.orders.items()):
        try:
            lines.append(f"{number:>6} {order.total(prices):>10}")
        except StoreError as error:
            lines.append("{} {}".format(number, error))
        finally:
            lines.append("-" * 17)
    while len(lines) > 100:
        lines.pop()
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(Store("orders.json").load(), {"tea": 3, "milk": 2}))
