-- Customers, what they order, and what it costs.
CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  email VARCHAR(200) NOT NULL UNIQUE,
  name TEXT NOT NULL DEFAULT 'unknown',
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE products (
  id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  price_cents INTEGER NOT NULL CHECK (price_cents >= 0),
  kind VARCHAR(20) NOT NULL CHECK (kind IN ('food', 'drink', 'other'))
);

CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  product_id INTEGER NOT NULL REFERENCES products (id),
  quantity INTEGER NOT NULL DEFAULT 1,
  note TEXT,
  UNIQUE (customer_id, product_id)
);

CREATE INDEX orders_by_customer ON orders (customer_id);

INSERT INTO customers (id, email, name) VALUES
  (1, 'ada@example.com', 'Ada'),
  (2, 'bob@example.com', 'Bob');

INSERT INTO products (id, title, price_cents, kind) VALUES
  (1, 'Tea', 300, 'drink'),
  (2, 'Bread', 250, 'food');

UPDATE products SET price_cents = price_cents + 10 WHERE kind = 'drink';

DELETE FROM orders WHERE quantity = 0 AND note IS NULL;

CREATE VIEW totals AS
SELECT c.name, COUNT(o.id) AS orders, SUM(o.quantity * p.price_cents) AS cents
FROM customers c
JOIN orders o ON o.customer_id = c.id
JOIN products p ON p.id = o.product_id
WHERE p.kind IN ('food', 'drink')
GROUP BY c.name
HAVING COUNT(o.id) > 1
ORDER BY cents DESC;

SELECT name, CASE WHEN cents > 1000 THEN 'large' ELSE 'small' END AS size
FROM totals
WHERE name LIKE 'A%' OR (cents BETWEEN 10 AND 20)
LIMIT 10;
