def shipping_cost(order):
    if order is not None:
        if order["items"]:
            if order["country"] == "DE":
                if not order["express"]:
                    if order["total_cents"] >= 5000:
                        return 0
                    return 490
                return 490 + 800
            return 1290
    return None
