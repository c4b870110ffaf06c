import pytest
from pydantic import TypeAdapter, ValidationError

from activities.llm import Price, Usage

PRICES = TypeAdapter(dict[str, Price])


def test_prices_are_read_from_json() -> None:
    prices = PRICES.validate_json('{"gpt-5": {"input": 1.25, "output": 10}}')
    assert prices == {"gpt-5": Price(1.25, 10.0)}


@pytest.mark.parametrize(
    "price", ['{"input": 1}', '{"input": -1, "output": 1}', '{"input": NaN, "output": 1}', "1"]
)
def test_a_price_that_is_none_is_refused(price: str) -> None:
    with pytest.raises(ValidationError):
        PRICES.validate_json(f'{{"gpt-5": {price}}}')


def test_cost_is_per_million_tokens() -> None:
    usage = Usage(prompt_tokens=2_000, completion_tokens=300, is_estimate=False)
    assert Price(1.5, 10.0).cost_usd(usage) == pytest.approx(0.006)
