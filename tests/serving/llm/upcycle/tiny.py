"""A dense model of the Llama family that is small enough for every test, with random weights."""

from importlib.util import find_spec
from typing import Any

import pytest

from serving.llm.upcycle import extra
from serving.llm.upcycle.dense import Dense
from serving.llm.upcycle.record import Source

HERE = all(find_spec(name) for name in ("torch", "transformers", "gguf", "accelerate"))
needs_extra = pytest.mark.skipif(not HERE, reason="the extra llm-moe is not installed")


def tiny(seed: int = 0) -> Dense:
    """Return a model of two layers with a tokenizer of single bytes."""
    torch, transformers = extra.torch(), extra.transformers()
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=260, hidden_size=48, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
        tie_word_embeddings=True, bos_token_id=256, eos_token_id=257,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config)
    for parameter in model.parameters():  # as large as trained ones, so that errors would show
        parameter.data.normal_(0, 0.2)
    source = Source(name="tiny", sha256="0" * 64, licence="CC0-1.0")
    return Dense(source=source, model=model.eval(), tokenizer=_bytes())


def _bytes() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(alphabet)}
    bare = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    made = extra.transformers().PreTrainedTokenizerFast(tokenizer_object=bare)
    made.add_special_tokens(
        {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|pad|>"}
    )
    return made
