import pytest
from pydantic import TypeAdapter, ValidationError

from activities.llm.base import Price, Usage

PRICES = TypeAdapter(dict[str, Price])


def test_prices_are_read_from_json() -> None:
    prices = PRICES.validate_json('{"gpt-5": {"input": 1.25, "output": 10}}')
    assert prices == {"gpt-5": Price(1.25, 10.0)}


@pytest.mark.parametrize(
    "price",
    [
        '{"input": 1}',
        '{"input": -1, "output": 1}',
        '{"input": NaN, "output": 1}',
        '{"input": 1, "output": 1, "cached_input": -1}',
        "1",
    ],
)
def test_a_price_that_is_none_is_refused(price: str) -> None:
    with pytest.raises(ValidationError):
        PRICES.validate_json(f'{{"gpt-5": {price}}}')


def test_cost_is_per_million_tokens() -> None:
    usage = Usage(prompt_tokens=2_000, completion_tokens=300, is_estimate=False)
    assert Price(1.5, 10.0).cost_usd(usage) == pytest.approx(0.006)


def test_cached_tokens_may_have_a_price_of_their_own() -> None:
    usage = Usage(2_000, 0, is_estimate=False, cached_tokens=1_500)
    [price] = PRICES.validate_json(
        '{"gpt-5": {"input": 1, "output": 10, "cached_input": 0.1}}'
    ).values()
    assert price.cost_usd(usage) == pytest.approx(0.00065)
    assert Price(1, 10).cost_usd(usage) == pytest.approx(0.002)
