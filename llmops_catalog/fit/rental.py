"""The cheapest known way to rent cards that hold a model: prices as once seen, each with who asked it and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from llmops_catalog.fit.available import DEFAULT_UTILIZATION
from llmops_catalog.fit.choices import offered, open_question, preferred
from llmops_catalog.fit.facts import GpuFacts, ModelFacts, RentalFacts
from llmops_catalog.fit.question import ask
from llmops_catalog.fit.verdict import judge

SINGLES = (1, 2, 4, 8)
"""Cards of one machine that are rented one by one; other instances are rented whole, as listed."""


class Rental(NamedTuple):
    """`gpu_count` cards for `amount` an hour together, and the quantization they hold."""

    amount: float
    offer: RentalFacts
    gpu: GpuFacts
    gpu_count: int
    quantization: str

    def as_json(self) -> Mapping[str, object]:
        """The object of `cheapest_rental`."""
        return {
            "amount": self.amount,
            "currency": self.offer.currency,
            "provider": self.offer.provider,
            "gpu": self.gpu.id,
            "gpu_count": self.gpu_count,
            "quantization": self.quantization,
            "as_of": self.offer.as_of,
            "source": self.offer.source,
        }


def cheapest_rental(
    model: ModelFacts,
    gpus: Iterable[GpuFacts],
    *,
    runtime: str | None = None,
    quantization: str | None = None,
    gpu_memory_utilization: float = DEFAULT_UTILIZATION,
    **options: Any,
) -> Rental | None:
    """The lowest known price of cards this fits on, in the quantization asked for or the one people prefer.

    `gpu_count` of the options is the fewest cards to look at. Prices whose day is not known are looked at only where no other
    holds it. None where no known offer does. Raises `FitInputError` as `fit` does.
    """
    reserve = options.pop("reserve_bytes", 0)
    if quantization is None:
        question = open_question(model, runtime, options)
    else:
        question = ask(model, quantization=quantization, runtime=runtime, **options)
    offers = sorted(_offers(gpus, question.gpu_count), key=_age_and_price)
    for offer in offers:
        asked = question.at(gpu_count=offer.gpu_count)
        if quantization is None:
            asked = asked.quantized(model, preferred(offered(model, offer.gpu, question), question)[0])
        if judge(model, offer.gpu, asked, reserve, gpu_memory_utilization, with_limits=False).verdict == "fits":
            return offer._replace(quantization=asked.quantization)
    return None


def _age_and_price(rental: Rental) -> tuple[bool, float, int, str]:
    return rental.offer.as_of is None, rental.amount, rental.gpu_count, rental.gpu.id


def _offers(gpus: Iterable[GpuFacts], fewest: int) -> Iterator[Rental]:
    """Every known way to rent at least so many cards of one kind."""
    for gpu in gpus:
        for offer in gpu.offers:
            for count in SINGLES if offer.gpu_count == 1 else (offer.gpu_count,):
                if count >= fewest:
                    yield Rental(offer.amount * count, offer, gpu, count, "")
