"""The cheapest known way to rent cards that hold a model: as offered, dated before undated, never a card it does not fit on."""

from __future__ import annotations

from facts_for_tests import A100_80, L4, LLAMA_8B, R1, T4

from llmops_catalog.fit import RentalFacts, cheapest_rental, fit


def offered(card, *offers):
    facts = (RentalFacts(price, "cloud", day, "USD", "https://example.org/p", cards) for price, day, cards in offers)
    return card._replace(offers=tuple(facts))


def test_the_cheapest_card_it_fits_on():
    cards = [offered(A100_80, (1.5, "2026-01", 1)), offered(L4, (0.7, "2026-02", 1)), offered(T4, (0.3, "2026-03", 1))]
    assert cheapest_rental(LLAMA_8B, cards).as_json() == {
        "amount": 0.3, "currency": "USD", "provider": "cloud", "gpu": "nvidia/t4", "gpu_count": 1, "quantization": "q4_k_m",
        "as_of": "2026-03", "source": "https://example.org/p",
    }  # fmt: skip
    large = cheapest_rental(LLAMA_8B, cards[:2], quantization="bf16")
    assert (large.gpu.id, large.amount) == ("nvidia/l4", 0.7)


def test_several_single_cards_or_an_instance_as_it_is_sold():
    single, whole = offered(A100_80, (1.5, "2026-01", 1)), offered(A100_80, (1.2, "2026-01", 8))
    many = cheapest_rental(R1, [single], quantization="q4_k_m")
    assert (many.gpu_count, many.amount) == (8, 12.0)
    assert cheapest_rental(LLAMA_8B, [whole]).amount == 8 * 1.2
    assert cheapest_rental(LLAMA_8B, [single, whole]).amount == 1.5
    assert cheapest_rental(LLAMA_8B, [single], gpu_count=2).amount == 3.0


def test_a_price_without_a_day_is_looked_at_last():
    cards = [offered(L4, (0.2, None, 1)), offered(A100_80, (1.5, "2026-01", 1))]
    assert cheapest_rental(LLAMA_8B, cards).amount == 1.5
    assert cheapest_rental(LLAMA_8B, cards[:1]).as_json()["as_of"] is None


def test_nothing_to_rent():
    assert cheapest_rental(LLAMA_8B, [L4, T4]) is None
    assert cheapest_rental(R1, [offered(L4, (0.7, "2026-02", 1))], quantization="q4_k_m") is None
    assert cheapest_rental(LLAMA_8B, [offered(T4, (0.3, "2026-03", 1))], quantization="bf16", runtime="vllm") is None


def test_the_largest_quantization_that_fits():
    assert fit(LLAMA_8B, T4, quantization="q4_k_m").largest_quantization == "q8_0"
    assert fit(LLAMA_8B, A100_80, quantization="q4_k_m").largest_quantization == "bf16"
    assert fit(LLAMA_8B, T4, quantization="bf16", runtime="vllm").largest_quantization == "fp8"
    assert fit(R1, T4, quantization="q4_k_m").largest_quantization is None
    named = fit(LLAMA_8B, T4, quantization="q4_k_m", context_tokens=65536).largest_quantization
    assert fit(LLAMA_8B, T4, quantization=named, context_tokens=65536).verdict == "fits"
    assert fit(LLAMA_8B, T4, quantization="q8_0", context_tokens=65536).verdict != "fits"
