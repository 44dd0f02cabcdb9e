"""Values of the rivals' units by PyTorch, float64, written from the papers' equations: test/nn/rival-units.json.

Inputs and parameters are a formula of their names, so that only results are kept:
value i of tensor `name` is sin(0.7 + 0.913 i + k) with k the sum of the name's character codes, times 0.5 for weights
and biases; running variances are 1 + half of it. Run: python bench/peers/rival_units.py > test/nn/rival-units.json
"""
import json
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def tensor(name, *dims):
    n = 1
    for d in dims:
        n *= d
    i = torch.arange(n)
    v = torch.sin(0.7 + 0.913 * i + sum(map(ord, name)))
    if name.endswith("running_var"):
        v = 1 + 0.5 * v
    elif name != "x":
        v = 0.5 * v
    return v.reshape(dims)


def conv(x, out, name, k, stride=1, groups=1, bias=False, dilation=1):
    w = tensor(name + ".weight", out, x.shape[1] // groups, k, k)
    b = tensor(name + ".bias", out) if bias else None
    return F.conv2d(x, w, b, stride, dilation * (k // 2), dilation, groups)


def norm(x, name):
    c = x.shape[1]
    t = [tensor(f"{name}.{p}", c) for p in ("running_mean", "running_var", "weight", "bias")]
    return F.batch_norm(x, *t)


def pool(x, s):
    return x if s == 1 else F.avg_pool2d(x, s, s, ceil_mode=True, count_include_pad=False)


def gap(x):
    return x.mean((2, 3), keepdim=True)


def octconv(x, out, k, stride, dilation, alpha):
    low, out_low = int(alpha * x.shape[1]), int(alpha * out)
    h, l = x[:, : x.shape[1] - low], pool(x[:, x.shape[1] - low :], 2)
    out_high = out - out_low

    def up(v, like):
        return F.interpolate(v, scale_factor=2, mode="nearest")[:, :, : like.shape[2], : like.shape[3]]

    c = lambda v, o, n: conv(v, o, n, k, dilation=dilation)
    yh = c(pool(h, stride), out_high, "conv_h2h")
    l2h = c(l, out_high, "conv_l2h")
    yh = yh + (l2h if stride == 2 else up(l2h, yh))
    yl = c(pool(l, stride), out_low, "conv_l2l") + c(pool(pool(h, stride), 2), out_low, "conv_h2l")
    return torch.cat([yh, up(yl, yh)], 1)


def spconv(x, out, k, stride, dilation, alpha):
    a = int(alpha * x.shape[1])
    rich, rest = x[:, :a], x[:, a:]
    y3 = conv(rich, out, "gwc", k, stride, 2, dilation=dilation) + conv(pool(rich, stride), out, "pwc", 1)
    y3 = norm(y3, "bn1")
    y1 = norm(conv(pool(rest, stride), out, "conv1x1", 1, bias=True), "bn2")
    b = torch.softmax(torch.stack([gap(y3), gap(y1)]), 0)
    return b[0] * y3 + b[1] * y1


def ghost(x, out, k, stride, dilation, ratio):
    m = -(-out // ratio)
    intrinsic = conv(x, m, "primary_conv", k, stride, dilation=dilation)
    ghosts = conv(intrinsic, m * (ratio - 1), "cheap_operation", 3, groups=m)
    return torch.cat([intrinsic, ghosts], 1)[:, :out]


def slimconv(x, out, k, stride, dilation, slim_k):
    c = x.shape[1]
    folds = 2 if slim_k == 1 else round(1.5 * slim_k)
    reduction = 16 if slim_k == 1 else 32
    thin = out // (4 if slim_k == 1 else 2 * folds)
    w = norm(conv(gap(x), max(1, c // reduction), "fc.0", 1), "fc.1").relu()
    w = torch.sigmoid(conv(w, c, "fc.3", 1, bias=True))
    one = sum(torch.chunk(w * x, folds, 1))
    other = sum(torch.chunk(torch.flip(w, [1]) * x, folds, 1))
    upper = conv(one, 2 * thin, "conv2_1.0", k, stride, dilation=dilation)
    lower = norm(conv(other, max(1, c // (4 if slim_k == 1 else 2 * folds)), "conv2_2.0", 1), "conv2_2.1").relu()
    lower = conv(lower, 2 * thin if slim_k == 1 else thin, "conv2_2.3", k, stride, dilation=dilation)
    return torch.cat([upper, lower], 1)


def tiedconv(x, out, k, stride, dilation, blocks):
    w = tensor("conv.weight", out // blocks, x.shape[1] // blocks, k, k)
    parts = [F.conv2d(p, w, None, stride, dilation * (k // 2), dilation) for p in torch.chunk(x, blocks, 1)]
    return torch.cat(parts, 1)


def depthwise_separable(x, out, k, stride, dilation):
    c = x.shape[1]
    return conv(norm(conv(x, c, "depthwise", k, stride, c, dilation=dilation), "bn").relu(), out, "pointwise", 1)


cases = []


def case(unit, f, settings, channels, out, h, w, kernel=3, stride=1, dilation=1):
    x = tensor("x", 2, channels, h, w)
    y = f(x, out, kernel, stride, dilation, *settings.values())
    cases.append(
        {
            "unit": unit,
            "settings": settings,
            "x": list(x.shape),
            "out": out,
            "shape": {"kernel": kernel, "stride": stride, "dilation": dilation},
            "dims": list(y.shape),
            "y": [float(f"{v:.8g}") for v in y.flatten().tolist()],
        }
    )


case("octconv", octconv, {"alpha": 0.5}, 4, 4, 5, 4)
case("octconv", octconv, {"alpha": 0.25}, 4, 8, 5, 3, stride=2)
case("octconv", octconv, {"alpha": 0.75}, 8, 4, 4, 4, kernel=1)
case("spconv", spconv, {"alpha": 0.5}, 8, 4, 5, 4)
case("spconv", spconv, {"alpha": 0.25}, 8, 4, 5, 3, stride=2)
case("ghost", ghost, {"ghostRatio": 2}, 4, 5, 5, 4, stride=2)
case("ghost", ghost, {"ghostRatio": 4}, 4, 8, 3, 4, kernel=1)
case("slimconv", slimconv, {"slimK": 1}, 8, 4, 4, 5)
case("slimconv", slimconv, {"slimK": 4 / 3}, 64, 4, 5, 3, stride=2)
case("slimconv", slimconv, {"slimK": 8 / 3}, 8, 8, 3, 3)
case("tiedconv", tiedconv, {"tiedBlocks": 2}, 4, 6, 5, 4, stride=2)
case("tiedconv", tiedconv, {"tiedBlocks": 4}, 8, 4, 6, 5, dilation=2)
case("depthwise-separable", depthwise_separable, {}, 4, 6, 5, 4, stride=2)
print("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]")
