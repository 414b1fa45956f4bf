package shop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A small store of orders. */
public class Store {
    private final Path path;
    private final Map<Integer, Order> orders = new HashMap<>();

    public record Order(int number, List<String> lines) {
        int total(Map<String, Integer> prices) {
            int total = 0;
            for (String line : lines) {
                total += prices.getOrDefault(line, 0);
            }
            return total;
        }
    }

    public static class StoreException extends RuntimeException {
        StoreException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    public Store(Path path) {
        this.path = path;
    }

    public Store load() {
        try {
            for (String line : Files.readAllLines(path)) {
                String[] parts = line.split(":", 2);
                int number = Integer.parseInt(parts[0].trim());
                orders.put(number, new Order(number, List.of(parts[1].split(","))));
            }
        } catch (IOException problem) {
            throw new StoreException("cannot read " + path, problem);
        }
        return this;
    }

    public Optional<Order> find(int number) {
        return Optional.ofNullable(orders.get(number));
    }

    public List<Integer> numbers() {
        List<Integer> numbers = new ArrayList<>(orders.keySet());
        numbers.sort((a, b) -> Integer.compare(a, b));
        return numbers;
    }

    static String size(int total) {
        return switch (total / 100) {
            case 0 -> "none";
            case 1, 2 -> "small";
            default -> {
                String size = "large";
                yield size;
            }
        };
    }
}
