"""HTTP face of the orders service. Start: uvicorn api_routes:app --port 8080"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt
from pydantic import BaseModel, Field

from backend_service import (
    Item,
    NotFound,
    Order,
    OrderService,
    OutOfStock,
    ServiceError,
    build_service,
    load_settings,
)

bearer = HTTPBearer()
router = APIRouter(prefix="/api/v1")


class ItemIn(BaseModel):
    """One line of a new order."""

    sku: str = Field(min_length=1, max_length=40)
    quantity: int = Field(gt=0, le=1000)


class OrderIn(BaseModel):
    """A new order."""

    items: list[ItemIn] = Field(min_length=1)


class OrderOut(BaseModel):
    """An order as clients see it."""

    id: int
    status: str
    total_cents: int
    items: list[ItemIn]


@lru_cache
def settings() -> dict[str, Any]:
    """Read once a process."""
    return load_settings(Path(__file__).with_name("config.yaml"))


@lru_cache
def service() -> OrderService:
    """Built on the first request, so that importing needs no database."""
    return build_service(settings())


def current_customer(
    credentials: HTTPAuthorizationCredentials = Depends(bearer),
) -> int:
    """The customer's id from the bearer token."""
    auth = settings()["auth"]
    try:
        claims = jwt.decode(
            credentials.credentials,
            auth["secret"],
            algorithms=[auth["algorithm"]],
            audience=auth["audience"],
        )
        return int(claims["sub"])
    except (JWTError, KeyError, ValueError) as error:
        raise HTTPException(status_code=401, detail="the token is not valid") from error


def to_out(order: Order) -> OrderOut:
    """What a client may see of an order."""
    items = [ItemIn(sku=item.sku, quantity=item.quantity) for item in order.items]
    return OrderOut(
        id=order.id, status=order.status.value, total_cents=order.total_cents, items=items
    )


def own_order(order_id: int, customer: int, orders: OrderService) -> Order:
    """The order if it is the customer's; otherwise it does not exist for them."""
    order = orders.require(order_id)
    if order.customer_id != customer:
        raise NotFound(f"there is no order {order_id}")
    return order


@router.post("/orders", status_code=201)
def create_order(
    body: OrderIn,
    customer: int = Depends(current_customer),
    orders: OrderService = Depends(service),
) -> OrderOut:
    items = [Item(line.sku, line.quantity) for line in body.items]
    return to_out(orders.place(customer, items))


@router.get("/orders")
def list_orders(
    customer: int = Depends(current_customer),
    orders: OrderService = Depends(service),
) -> list[dict[str, Any]]:
    return orders.history(customer)


@router.get("/orders/{order_id}")
def read_order(
    order_id: int,
    customer: int = Depends(current_customer),
    orders: OrderService = Depends(service),
) -> OrderOut:
    return to_out(own_order(order_id, customer, orders))


@router.post("/orders/{order_id}/payment")
def pay_order(
    order_id: int,
    customer: int = Depends(current_customer),
    orders: OrderService = Depends(service),
) -> dict[str, str]:
    own_order(order_id, customer, orders)
    return {"reference": orders.pay(order_id)}


@router.delete("/orders/{order_id}", status_code=204)
def cancel_order(
    order_id: int,
    customer: int = Depends(current_customer),
    orders: OrderService = Depends(service),
) -> None:
    own_order(order_id, customer, orders)
    orders.cancel(order_id)


def create_app() -> FastAPI:
    """The application with its routes and error answers."""
    application = FastAPI(title="Orders")

    @application.exception_handler(ServiceError)
    def on_service_error(request: Request, error: ServiceError) -> JSONResponse:
        status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, OutOfStock) else 422
        return JSONResponse(status_code=status, content={"detail": str(error)})

    @application.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    application.include_router(router)
    return application


app = create_app()
