using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;

namespace Shop
{
    public record Order(int Number, List<string> Lines);

    public class StoreException : Exception
    {
        public int Code { get; }

        public StoreException(string message, int code = 500) : base(message)
        {
            Code = code;
        }
    }

    public sealed class Store
    {
        private readonly string _path;
        private readonly Dictionary<int, Order> _orders = new();

        public Store(string path)
        {
            _path = path;
        }

        public async Task<Store> LoadAsync()
        {
            var text = await File.ReadAllTextAsync(_path);
            foreach (var order in JsonSerializer.Deserialize<List<Order>>(text) ?? new List<Order>())
            {
                _orders[order.Number] = order;
            }
            return this;
        }

        public Order Find(int number)
        {
            if (!_orders.TryGetValue(number, out var order))
            {
                throw new StoreException($"no order {number}", 404);
            }
            return order;
        }

        public int Total(IReadOnlyDictionary<string, int> prices)
        {
            return _orders.Values.SelectMany(order => order.Lines).Sum(line => prices[line]);
        }

        public string Size(int total) => total switch
        {
            > 1000 => "large",
            > 100 => "small",
            _ => "none",
        };
    }
}
