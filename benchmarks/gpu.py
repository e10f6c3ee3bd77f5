"""Training on a CUDA device: ``python -m benchmarks.gpu``. Prints a table; needs torch with CUDA."""

from __future__ import annotations

import sys
import time

import ibtext as ib
from ibtext.demonstration import X, Y

from .problem import POTENTIALS, network
from .timing import Table, seconds


def on_device(net: ib.ShallowNetwork, device: str) -> ib.ShallowNetwork:
    """The same network with torch parameters on a device."""
    import torch

    arrays = (torch.tensor(v, device=device) for v in (net.weight, net.bias, net.output))
    return ib.ShallowNetwork(*arrays, net.output_bias, activation=net.activation)


def table(widths: tuple[int, ...] = (100_000, 1_000_000, 4_000_000)) -> Table:
    """CPU and GPU, the same call."""
    import torch

    out = Table(
        f"Training to residual 1e-8 on {torch.cuda.get_device_name(0)}",
        "Both layers, M = 5; the same call on NumPy arrays and on CUDA tensors.",
        ("width", "potential", "NumPy", "CUDA", "ratio", "largest difference of the functions"),
    )
    points = torch.linspace(-1, 1, 101, dtype=torch.float64)
    for width in widths:
        for name in ("|x|^3 + x^2", "cosh"):
            potential, net = ib.Scaled(POTENTIALS[name.replace("|", "\\|")]), network(width)
            begin = time.perf_counter()
            here = ib.mirror_flow(net, X, Y, potential=potential)
            cpu = time.perf_counter() - begin
            cuda = on_device(net, "cuda")
            ib.mirror_flow(on_device(network(1000), "cuda"), X, Y, potential=potential)  # compile kernels
            torch.cuda.synchronize()
            begin = time.perf_counter()
            there = ib.mirror_flow(cuda, X, Y, potential=potential)
            torch.cuda.synchronize()
            gpu = time.perf_counter() - begin
            difference = float(abs(there.network(points.cuda()).cpu().numpy() - here.network(points.numpy())).max())
            out.add(f"{width:,}", name, seconds(cpu), seconds(gpu), f"{cpu / gpu:.1f}", f"{difference:.1e}")
    return out


if __name__ == "__main__":
    import torch

    if not torch.cuda.is_available():
        print("This measurement needs a CUDA device and a torch built for it; none was found here.", file=sys.stderr)
        sys.exit(1)
    print(table().markdown())
