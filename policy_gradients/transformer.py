"""A causal transformer on one page."""

import torch
from torch import nn


class Transformer(nn.Module):
    """Reads tokens from left to right; its output at a position has seen nothing to the right.

    num_tokens: V, size of the vocabulary
    length: largest number of tokens in a row
    out_size: numbers per position, V for a language model; None for one value per position,
        returned without a last axis, for a critic
    width, heads, layers: of the body

    net(obs): int (B, L) array or tensor, L <= length -> (B, L, out_size), or (B, L) for None

    Tokens are moved to the device of the weights. There is no dropout, so that two calls with the
    same weights agree. Layer norms stand before each block and the last layer starts small, as in
    GPT-2 (Radford et al. 2019); the transformer is that of Vaswani et al. (2017).
    """

    def __init__(self, num_tokens, length, out_size=None, width=48, heads=2, layers=1):
        super().__init__()
        self.out_size = out_size
        self.token = nn.Embedding(num_tokens, width)
        self.place = nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 1 if out_size is None else out_size)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    @property
    def device(self):
        return self.head.weight.device

    def forward(self, obs):
        obs = torch.as_tensor(obs, dtype=torch.long, device=self.device)  # (B, L)
        places = torch.arange(obs.shape[-1], device=self.device)  # (L,)
        x = self.token(obs) + self.place(places)  # (B, L, width)
        for block in self.blocks:
            x = block(x)
        out = self.head(self.norm(x))  # (B, L, out_size)
        return out.squeeze(-1) if self.out_size is None else out


class Block(nn.Module):
    """Attention to the tokens so far, then a layer for each token by itself; both are added."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.to_qkv = nn.Linear(width, 3 * width)
        self.to_out = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.each = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        x = x + self.attend(self.before(x))
        return x + self.each(self.between(x))

    def attend(self, x):
        split = self.to_qkv(x).unflatten(-1, (3, self.heads, -1))  # (B, L, 3, heads, width/heads)
        q, k, v = split.movedim(2, 0).transpose(-2, -3)  # (B, heads, L, width/heads) each
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.to_out(mixed.transpose(-2, -3).flatten(-2))  # (B, L, width)
