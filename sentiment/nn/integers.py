"""Products of 8-bit integers, exact in every order and on every kernel, and the weights that they take."""

import time
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

LEVELS = 127  # integers run from -127 to 127
INTEGER_PRODUCT, FLOAT_PRODUCT = PRODUCTS = ("int8", "float32")


_MEASURED_ROWS = 64
_MEASURED_RUNS = 7
_FEATURE_STEPS = 2.0**15  # of 1, in the classifier's input
_WEIGHT_STEPS = 2.0**26  # of its largest weight


class QuantizedWeight(NamedTuple):
    """A matrix of integers, and the scale of each row."""

    values: Tensor  # (rows, columns), int8
    scales: Tensor  # (rows,), float32

    @classmethod
    def of(cls, weight: Tensor) -> "QuantizedWeight":
        """Return the nearest integers to a matrix (rows, columns), the largest number of each row as 127 or -127."""
        weight = weight.detach()
        scales = weight.abs().amax(dim=1) / LEVELS  # (rows,)
        scales = torch.where(scales == 0, 1.0, scales)  # (rows,); NaN stays and is noticed
        return cls((weight / scales.unsqueeze(1)).round_().to(torch.int8), scales)

    def dequantize(self) -> Tensor:
        """Return the numbers that the integers represent: (rows, columns), float32."""
        return self.values.float().mul_(self.scales.unsqueeze(1))


def exact_linear(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the logits (..., C) of `features` (..., K) in [-1, 1], the same bits in any batch.

    Weights (C, K) and features are taken to multiples of a power of two so fine that float64 adds up exactly: 26 bits
    and 15, and 4,096 products of them.
    """
    _, exponent = torch.frexp(weight.abs().max())
    unit = torch.ldexp(torch.tensor(1 / _WEIGHT_STEPS, dtype=torch.double), exponent)  # ()
    sums = (features.double() * _FEATURE_STEPS).round() @ (weight.double() / unit).round().t()  # (..., C)
    return (sums * (unit / _FEATURE_STEPS) + bias.double()).float()  # (..., C)


def multiply(rows: Tensor, weight: Tensor, out: Tensor) -> None:
    """Write the product of integers (n, K) and (K, M) to `out` (n, M), float32; the operands are int8 or float32."""
    if rows.dtype == torch.int8:
        out.copy_(torch._int_mm(rows, weight, out=out.view(torch.int32)))
    else:
        torch.mm(rows, weight, out=out)


def quicker_product(width: int) -> str:
    """Return the faster of the exact products here, by a short measurement at this number of hidden units."""
    seconds = exact_products(width)
    return min(seconds, key=seconds.__getitem__)


@cache
def exact_products(width: int) -> dict[str, float]:
    """Return the seconds that each of `PRODUCTS` takes at this number of hidden units, of those that are exact here.

    Integers aren't among them where this torch lacks the operator, or where a processor without VNNI adds products in
    pairs of 16 bits, which overflow.
    """
    generator = torch.Generator().manual_seed(0)
    rows, weight = (
        torch.randint(-LEVELS, LEVELS + 1, shape, generator=generator, dtype=torch.int8)
        for shape in ((_MEASURED_ROWS, width), (4 * width, width))
    )
    rows[0], weight[0] = LEVELS, LEVELS
    rows[1], weight[1] = -LEVELS, -LEVELS
    operands = {INTEGER_PRODUCT: (rows, weight.t()), FLOAT_PRODUCT: (rows.float(), weight.float().t())}
    found = {product: torch.empty(_MEASURED_ROWS, 4 * width) for product in PRODUCTS}
    seconds = dict.fromkeys(PRODUCTS, float("inf"))
    try:
        for _ in range(_MEASURED_RUNS):
            for product, (one, other) in operands.items():
                started = time.perf_counter()
                multiply(one, other, out=found[product])
                seconds[product] = min(seconds[product], time.perf_counter() - started)
    except (AttributeError, RuntimeError):  # no such operator at all, or none for this kind of processor
        return {FLOAT_PRODUCT: seconds[FLOAT_PRODUCT]}
    is_exact = torch.equal(found[INTEGER_PRODUCT], found[FLOAT_PRODUCT])
    return seconds if is_exact else {FLOAT_PRODUCT: seconds[FLOAT_PRODUCT]}
