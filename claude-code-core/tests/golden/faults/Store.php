<?php

declare(strict_types=1);

namespace Shop;

use RuntimeException;

final class StoreError extends RuntimeException
{
    public static function missing(int $number): self
    {
        return new self("no order {$number}", 404);
    }
}

final class Order
{
    /** @param list<string> $lines */
    public function __construct(
        public readonly int $number,
        public readonly array $lines = [],
    ) {
    }

    public function total(array $prices): int
    {
        $total = 0;
        foreach ($this->lines as $line) {
            if (!isset($prices[$line])) {
                throw new StoreError("no price for $line");
            }
            $total += $prices[$line];
        }
        return $total;
    }
}

class Store
{
    private array $orders = [];

    public function __construct(private string $path)
    {
    }

    public function load(): static
    {
        $rows = json_decode(file_get_contents($this->path), true);
        foreach ($rows as $row) {
            $order = new Order($row['number'], $row['lines'] ?? []);
            $this->orders[$order->number] = $order;
        }
        return $this;
    }

    public function find(int $number): Order
    {
        return $this->orders[$number] ?? throw StoreError::missing($number);
    }

    public function largest(array $prices): ?Order
    {
        $totals = array_map(fn (Order $order) => $order->total($prices), $this->orders);
        arsort($totals);
        return match (true) {
            $totals === [] => null,
            default => $this->orders[array_key_first($totals)],
        };
    }
}

echo (new Store('orders.json'))->load()->find(1)->number, "\n";
