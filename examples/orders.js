/** Loads an order with its customer and its items. */
export function loadOrder(api, id) {
  return api.get(`/orders/${id}`).then((order) => {
    return api.get(`/customers/${order.customerId}`).then((customer) => {
      return api.get(`/orders/${id}/items`).then((items) => {
        return { ...order, customer, items };
      });
    });
  });
}
