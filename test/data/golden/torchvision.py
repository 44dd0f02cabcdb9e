"""Golden values of torchvision's transforms on Pillow images: writes torchvision.json beside this file.

    pip install torch torchvision pillow numpy && python torchvision.py
"""
import base64, io, json, math, pathlib
import numpy as np, torch, torchvision
from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import functional as F

b64 = lambda a: base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()
rng = np.random.default_rng(1)

# Colours on a grid, and what every change makes of them.
levels = np.array([0, 1, 37, 100, 128, 191, 254, 255])
cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(1, -1, 3).astype(np.uint8)
image = Image.fromarray(cube)
changes = [
    ("brightness", 0.6), ("brightness", 1.37), ("contrast", 0.55), ("contrast", 1.4), ("saturation", 0.0),
    ("saturation", 0.6), ("saturation", 1.4), ("hue", 0.1), ("hue", -0.1), ("hue", 0.5), ("hue", -0.37),
]
jitter = [dict(what=w, by=by, pixels=b64(getattr(F, f"adjust_{w}")(image, by))) for w, by in changes]

# A smooth picture with some noise, not square; parts of it resized, and the evaluation view.
h, w = 61, 83
y, x = np.mgrid[0:h, 0:w]
picture = np.stack([128 + 90 * np.sin(x / 9 + c) * np.cos(y / (7 + 2 * c)) for c in range(3)], -1)
picture = np.clip(picture + rng.normal(0, 8, picture.shape), 0, 255).astype(np.uint8)
pil = Image.fromarray(picture)
png = io.BytesIO()
pil.save(png, "png", optimize=True)
boxes = [(0, 0, h, w), (3, 5, 40, 50), (10, 20, 45, 33), (20, 30, 20, 24), (31, 2, 16, 16)]
crops = [dict(box=b, pixels=b64(F.resized_crop(pil, *b, [32, 32]))) for b in boxes]
view = T.Compose([T.Resize(37), T.CenterCrop(32)])

# Where random crops fall: means over many draws.
torch.manual_seed(0)
def figures(height, width, n=20000):
    blank = Image.new("L", (width, height))
    draws = [T.RandomResizedCrop.get_params(blank, (0.08, 1.0), (3 / 4, 4 / 3)) for _ in range(n)]
    a = np.array(draws, float)
    top, left, ch, cw = a.T
    room = lambda at, size, all_: (at / np.maximum(1, all_ - size))[size < all_].mean() if (size < all_).any() else 0.5
    return dict(height=height, width=width, area=(ch * cw).mean() / (height * width), logRatio=np.log(cw / ch).mean(),
                ratioDeviation=np.log(cw / ch).std(), top=room(top, ch, height), left=room(left, cw, width))

out = dict(
    versions=dict(torchvision=torchvision.__version__, pillow=Image.__version__),
    colours=b64(cube), jitter=jitter,
    picture=base64.b64encode(png.getvalue()).decode(), crops=crops, view=dict(size=32, share=32 / 37, pixels=b64(view(pil))),
    draws=[figures(375, 500), figures(500, 333), figures(100, 1000), figures(1000, 100)],
)
pathlib.Path(__file__).with_name("torchvision.json").write_text(json.dumps(out, indent=1) + "\n")
