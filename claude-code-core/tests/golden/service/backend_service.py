"""Business rules of the orders service: settings, storage and payments."""

from __future__ import annotations

import logging
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Iterator, Optional

import httpx
import psycopg
import yaml
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

logger = logging.getLogger("orders")

PLACEHOLDER = re.compile(r"\$\{([A-Z_]+)\}")


class OrderStatus(str, Enum):
    """What may happen to an order."""

    OPEN = "open"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class ServiceError(Exception):
    """A rule was broken. The message is safe to show."""


class NotFound(ServiceError):
    """The thing asked for does not exist."""


class OutOfStock(ServiceError):
    """There are fewer pieces than were ordered."""


@dataclass(frozen=True)
class Item:
    """One line of an order."""

    sku: str
    quantity: int


@dataclass
class Order:
    """An order with its lines. Money is in cents."""

    id: int
    customer_id: int
    status: OrderStatus
    total_cents: int
    items: list[Item] = field(default_factory=list)

    def can_change(self) -> bool:
        """Only open orders may change."""
        return self.status is OrderStatus.OPEN


def load_settings(path: Path) -> dict[str, Any]:
    """Reads the YAML file and fills in `${NAME}` from the environment."""

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise ServiceError(f"the environment variable {name} is not set")
        return os.environ[name]

    text = PLACEHOLDER.sub(fill, path.read_text(encoding="utf-8"))
    return yaml.safe_load(text)


class OrderStore:
    """The only place that speaks SQL."""

    def __init__(self, pool: ConnectionPool) -> None:
        self.pool = pool

    @contextmanager
    def cursor(self) -> Iterator[psycopg.Cursor]:
        """A cursor in a transaction of its own."""
        with self.pool.connection() as connection:
            with connection.cursor(row_factory=dict_row) as cursor:
                yield cursor

    def find(self, order_id: int) -> Optional[Order]:
        """The order with its lines, or None."""
        with self.cursor() as cursor:
            cursor.execute(
                "SELECT id, customer_id, status, total_cents FROM orders WHERE id = %s",
                (order_id,),
            )
            row = cursor.fetchone()
            if row is None:
                return None
            cursor.execute(
                "SELECT sku, quantity FROM order_items WHERE order_id = %s ORDER BY sku",
                (order_id,),
            )
            items = [Item(line["sku"], line["quantity"]) for line in cursor.fetchall()]
        return Order(
            row["id"], row["customer_id"], OrderStatus(row["status"]), row["total_cents"], items
        )

    def of_customer(self, customer_id: int, limit: int) -> list[dict[str, Any]]:
        """The customer's orders, newest first, without their lines."""
        with self.cursor() as cursor:
            cursor.execute(
                """
                SELECT o.id, o.status, o.total_cents, c.full_name
                FROM orders o
                JOIN customers c ON c.id = o.customer_id
                WHERE o.customer_id = %s
                ORDER BY o.created_at DESC
                LIMIT %s
                """,
                (customer_id, limit),
            )
            return cursor.fetchall()

    def create(self, customer_id: int, items: list[Item]) -> int:
        """Takes the pieces from stock and writes the order, all or nothing."""
        with self.cursor() as cursor:
            cursor.execute(
                "INSERT INTO orders (customer_id, status) VALUES (%s, %s) RETURNING id",
                (customer_id, OrderStatus.OPEN.value),
            )
            order_id = cursor.fetchone()["id"]
            total = 0
            for item in items:
                cursor.execute(
                    "UPDATE products SET stock = stock - %s"
                    " WHERE sku = %s AND stock >= %s RETURNING price_cents",
                    (item.quantity, item.sku, item.quantity),
                )
                row = cursor.fetchone()
                if row is None:
                    raise OutOfStock(f"not enough of {item.sku} in stock")
                total += row["price_cents"] * item.quantity
                cursor.execute(
                    "INSERT INTO order_items (order_id, sku, quantity, price_cents)"
                    " VALUES (%s, %s, %s, %s)",
                    (order_id, item.sku, item.quantity, row["price_cents"]),
                )
            cursor.execute(
                "UPDATE orders SET total_cents = %s WHERE id = %s", (total, order_id)
            )
        return order_id

    def set_status(self, order_id: int, status: OrderStatus) -> None:
        """Moves an order on."""
        with self.cursor() as cursor:
            cursor.execute(
                "UPDATE orders SET status = %s WHERE id = %s", (status.value, order_id)
            )


class PaymentClient:
    """Charges through the payment service; safe to repeat by the order's id."""

    def __init__(self, endpoint: str, timeout_seconds: float) -> None:
        self.http = httpx.Client(base_url=endpoint, timeout=timeout_seconds)

    @retry(
        retry=retry_if_exception_type(httpx.TransportError),
        stop=stop_after_attempt(3),
        wait=wait_exponential(multiplier=0.2, max=2),
        reraise=True,
    )
    def charge(self, order: Order) -> str:
        """The payment's reference."""
        answer = self.http.post(
            "/charges",
            json={"amount": order.total_cents, "reference": str(order.id)},
            headers={"Idempotency-Key": f"order-{order.id}"},
        )
        answer.raise_for_status()
        return answer.json()["reference"]


class OrderService:
    """What the API offers."""

    def __init__(self, store: OrderStore, payments: PaymentClient, limits: dict[str, int]) -> None:
        self.store = store
        self.payments = payments
        self.limits = limits

    def place(self, customer_id: int, items: list[Item]) -> Order:
        """Checks the rules and writes the order."""
        if not items:
            raise ServiceError("an order needs at least one item")
        if len(items) > self.limits["max_items_per_order"]:
            raise ServiceError("the order has too many items")
        order_id = self.store.create(customer_id, items)
        logger.info("order %s placed", order_id)
        return self.require(order_id)

    def require(self, order_id: int) -> Order:
        """The order, or NotFound."""
        order = self.store.find(order_id)
        if order is None:
            raise NotFound(f"there is no order {order_id}")
        return order

    def history(self, customer_id: int) -> list[dict[str, Any]]:
        """The customer's last orders."""
        return self.store.of_customer(customer_id, self.limits["page_size"])

    def pay(self, order_id: int) -> str:
        """Charges an open order once."""
        order = self.require(order_id)
        if not order.can_change():
            raise ServiceError(f"the order is {order.status.value}")
        reference = self.payments.charge(order)
        self.store.set_status(order_id, OrderStatus.PAID)
        return reference

    def cancel(self, order_id: int) -> None:
        """Cancels an open order."""
        order = self.require(order_id)
        if not order.can_change():
            raise ServiceError(f"the order is {order.status.value}")
        self.store.set_status(order_id, OrderStatus.CANCELLED)


def build_service(settings: dict[str, Any]) -> OrderService:
    """Wires the service together from its settings."""
    database = settings["database"]
    pool = ConnectionPool(
        database["url"],
        min_size=database["pool"]["min_size"],
        max_size=database["pool"]["max_size"],
    )
    payments = settings["payments"]
    client = PaymentClient(payments["endpoint"], payments["timeout_seconds"])
    return OrderService(OrderStore(pool), client, settings["limits"])
