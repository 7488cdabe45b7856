"""Copies under every kind of treatment, and what they are found by: descriptors, windows, poses, registration."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps
from scipy.ndimage import gaussian_filter

from synthbench import Images, find_copies
from synthbench.data.audit.calibration import LIMIT, limit
from synthbench.data.audit.candidates import KEPT, candidates
from synthbench.data.audit.descriptors import Described, describe, learn
from synthbench.data.audit.likeness import compare
from synthbench.data.audit.parts import describe_parts
from synthbench.data.audit.registration import register, sampled
from synthbench.data.audit.texture import texture, turned
from synthbench.data.audit.thumbnails import thumbnails
from synthbench.data.audit.windows import POSES, WHOLE, content_windows, posed, posed_windows
from tests.helpers.pictures import pictures

EACH, KNOWN = 8, 110
"""Copies by each treatment, of as many known pictures."""


def images(pixels, groups=None):
    pixels = pixels[..., None] if pixels.ndim == 3 else pixels
    return Images(pixels, np.zeros(len(pixels), dtype=np.int64), ("NORMAL",), groups=groups)


# ---- treatments of a picture of 128 px


def cut(left, top, right, bottom):
    return lambda p: p.crop((left * p.width, top * p.height, (1 - right) * p.width, (1 - bottom) * p.height))


def bordered(left, top, right, bottom, grey):
    return lambda p: ImageOps.expand(p, (left, top, right, bottom), fill=grey)


def shifted(x, y, grey=0):
    affine = Image.Transform.AFFINE
    return lambda p: p.transform(p.size, affine, (1, 0, x * p.width, 0, 1, y * p.height), fillcolor=grey)


def turn(degrees, grey=0):
    return lambda p: p.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=grey)


def written_on(picture):
    picture = picture.copy()
    pen = ImageDraw.Draw(picture)
    pen.rectangle((4, 4, 45, 15), fill=0)
    pen.text((6, 5), "PORTABLE", fill=255, font_size=8)
    pen.text((95, 100), "R", fill=255, font_size=20)
    return picture


def evened(picture):
    """Local contrast stretched, as CLAHE does."""
    values = np.asarray(picture, dtype=float)
    mean = gaussian_filter(values, 10)
    spread = np.sqrt(gaussian_filter((values - mean) ** 2, 10)) + 8
    return Image.fromarray(np.clip(128 + 50 * (values - mean) / spread, 0, 255).astype(np.uint8))


def grey_values(change):
    return lambda p: Image.fromarray(np.clip(change(np.asarray(p, dtype=float)), 0, 255).astype(np.uint8))


def noisy(picture):
    noise = np.random.default_rng(0).normal(0, 8, (picture.height, picture.width))
    return grey_values(lambda x: x + noise)(picture)


mirrored = ImageOps.mirror
TREATMENTS = {
    "as it is": lambda p: p,
    "blurred": lambda p: grey_values(lambda x: gaussian_filter(x, 1.5))(p),
    "noisy": noisy,
    "mirrored": mirrored,
    "turned clockwise": lambda p: p.transpose(Image.Transpose.ROTATE_270),
    "upside down": ImageOps.flip,
    "inverted": ImageOps.invert,
    "turned by 3 degrees": turn(3),
    "turned by 5 degrees, white corners": turn(-5, 255),
    "cropped by 10 %": cut(0.1, 0.1, 0.1, 0.1),
    "cropped unevenly": cut(0.1, 0, 0.02, 0.07),
    "shifted by 10 %": shifted(0.1, 0.1),
    "shifted, grey": shifted(-0.06, 0.09, 100),
    "white border": bordered(15, 15, 15, 15, 255),
    "uneven border": bordered(3, 12, 6, 0, 90),
    "letterboxed": bordered(0, 25, 0, 25, 0),
    "gamma .5": grey_values(lambda x: 255 * (x / 255) ** 0.5),
    "gamma 2": grey_values(lambda x: 255 * (x / 255) ** 2),
    "equalised": ImageOps.equalize,
    "contrast evened out": evened,
    "written on": written_on,
    "mirrored and inverted": lambda p: ImageOps.invert(mirrored(p)),
    "turned and bordered": lambda p: bordered(10, 10, 10, 10, 0)(turn(4)(p)),
    "cropped and evened out": lambda p: evened(cut(0.08, 0, 0, 0.08)(p)),
    "written on, then turned by a right angle": lambda p: written_on(p).transpose(Image.Transpose.ROTATE_90),
    "shifted and gamma": lambda p: grey_values(lambda x: 255 * (x / 255) ** 1.7)(shifted(0.05, -0.08)(p)),
}


@pytest.fixture(scope="module")
def known():
    """110 pictures, of 128 px and of 64 px."""
    originals = pictures(KNOWN, 128)
    return originals, small(Image.fromarray(p) for p in originals)


def small(files):
    return np.stack([np.asarray(file.convert("L").resize((64, 64), Image.Resampling.BILINEAR)) for file in files])


@pytest.fixture(scope="module")
def found(known):
    """What is found of all treatments: for each the copies' references and views, "" where there is none."""
    originals, references = known
    queries = small(change(Image.fromarray(p)) for change in TREATMENTS.values() for p in originals[:EACH])
    copies = find_copies(images(queries), images(references))
    reference, view = np.full(len(queries), -1), np.full(len(queries), "", dtype="U60")
    reference[copies.query], view[copies.query] = copies.reference, copies.view
    shape = (len(TREATMENTS), EACH)
    return dict(zip(TREATMENTS, zip(reference.reshape(shape), view.reshape(shape), strict=True), strict=True))


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_a_treated_copy_is_found_and_no_other_picture(found, treatment):
    reference, _ = found[treatment]
    right, wrong = reference == np.arange(EACH), (reference >= 0) & (reference != np.arange(EACH))
    assert right.sum() >= EACH - 2
    assert wrong.sum() == 0


def test_a_view_says_what_was_done_to_the_query(found):
    expected = {
        "as it is": "as it is",
        "mirrored": "mirrored",
        "upside down": "upside down",
        "turned clockwise": "turned by 270 degrees",  # lays it upright again
        "inverted": "as it is, inverted",
        "mirrored and inverted": "mirrored, inverted",
        "cropped by 10 %": "as it is",
    }
    assert {name: set(found[name][1]) - {""} for name in expected} == {k: {v} for k, v in expected.items()}


def test_strangers_are_no_copies(known):
    copies = find_copies(images(pictures(60, 64, seed=3)), images(known[1]))
    assert len(copies) == 0
    assert copies.query.dtype == copies.reference.dtype == np.int64


def test_each_query_has_its_nearest_reference_in_order(known):
    references = known[1].copy()
    references[100] = np.clip(references[5] * 0.8 + 10, 0, 255)
    copies = find_copies(images(references[[7, 5, 7]]), images(references))
    assert copies.query.tolist() == [0, 1, 2]
    assert copies.reference.tolist() == [7, 5, 7]
    assert copies.distance.tolist() == [0, 0, 0]


def test_a_thousand_copies_of_one_image_are_all_found(known):
    """A collapsed generator must not teach the audit that all images are alike."""
    noise = np.random.default_rng(0).normal(0, 2, (300, 64, 64))
    collapsed = np.clip(known[1][3] + noise, 0, 255).astype(np.uint8)
    copies = find_copies(images(collapsed), images(known[1]))
    assert len(copies) >= 0.9 * 300
    assert set(copies.reference) == {3}


def test_sizes_and_channels_may_differ(known):
    originals, references = (pixels[:50] for pixels in known)
    larger = np.stack([np.asarray(Image.fromarray(p).resize((96, 96), 2)) for p in originals[:5]])
    tinted = np.stack([larger, larger * 0.9, larger * 0.8], axis=-1).astype(np.uint8)
    assert find_copies(images(tinted), images(references)).reference.tolist() == [0, 1, 2, 3, 4]


def test_uniform_pictures_match_by_their_pixels_alone():
    references = np.stack([np.full((32, 32), grey, np.uint8) for grey in (10, 20, 30)])
    copies = find_copies(images(references[[1]]), images(references))
    assert (copies.query.tolist(), copies.reference.tolist()) == ([0], [1])
    assert len(find_copies(images(np.full((1, 32, 32), 40, np.uint8)), images(references))) == 0


@pytest.mark.parametrize(("queries", "references"), [(0, 5), (5, 0), (0, 0)])
def test_of_nothing_there_is_no_copy(queries, references):
    assert len(find_copies(images(pictures(5, 32)[:queries]), images(pictures(5, 32)[:references]))) == 0


def test_two_images_of_one_known_patient_must_be_nearer(known):
    """As two exams of one person are, which are no copies."""
    first = known[1][:40]
    exam = np.rint(first * 0.72 + known[1][40:80] * 0.28).astype(np.uint8)
    names = np.array([f"patient {i}" for i in range(40)])
    unknown = find_copies(images(exam), images(first, names))
    assert len(unknown) > 10
    between = unknown.query[unknown.distance > 0.05]
    assert len(between) > 10
    same = find_copies(images(exam, names), images(first, names))
    assert set(same.query) == set(unknown.query) - set(between)
    assert len(find_copies(images(exam, np.roll(names, 1)), images(first, names))) == len(unknown)


# ---- the limit


def test_copies_within_a_set_do_not_lower_its_limit(known):
    doubled = thumbnails(np.repeat(known[1], 2, axis=0)[..., None])
    assert limit(doubled, learn(doubled)) == LIMIT


def test_of_few_pictures_no_limit_is_learned(known):
    few = thumbnails(known[1][:50, :, :, None])
    assert limit(few, learn(few)) == LIMIT


def test_below_32_px_the_limit_shrinks_with_the_size():
    """Small pictures that are alike are not yet one."""
    limits = [describe_parts({"train": images(pictures(5, size))})["train"].limit for size in (16, 24, 32, 64)]
    assert limits == pytest.approx([LIMIT / 2, 0.75 * LIMIT, LIMIT, LIMIT])


# ---- the first stage


def test_candidates_are_the_nearest_by_brute_force():
    rng = np.random.default_rng(0)

    def described(n, poses):
        vectors = rng.normal(size=(2 * n, poses, 8)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
        return Described(np.repeat(np.arange(n), 2), np.tile(WHOLE, (2 * n, 1)), vectors)

    asked, others = described(200, 8), described(1500, 1)
    chosen = candidates(asked, others, near=-1.0)
    cosine = np.einsum("qpd,rd->qpr", asked.vectors, others.vectors[:, 0]).max(axis=1)
    best = cosine.reshape(200, 2, 1500, 2).max(axis=(1, 3))
    expected = np.sort(np.argsort(-best, axis=1)[:, :KEPT], axis=1)
    pairs = np.stack([asked.image[chosen.query], others.image[chosen.reference]], axis=1)
    assert np.array_equal(np.sort(pairs[:, 1].reshape(200, KEPT), axis=1), expected)
    assert chosen.cosine == pytest.approx(best[pairs[:, 0], pairs[:, 1]], abs=1e-5)
    at_least = candidates(asked, others, near=0.9)
    assert len(at_least) == (chosen.cosine >= 0.9).sum()
    within = candidates(asked, asked, near=-1.0, within=True)
    assert (asked.image[within.reference] < asked.image[within.query]).all()


def test_textures_are_turned_as_their_pictures_are():
    thumbs = thumbnails(pictures(5)[..., None])
    for pose in POSES:
        laid = np.ascontiguousarray(posed(thumbs, pose))
        assert turned(texture(thumbs), pose) == pytest.approx(texture(laid), abs=1e-4)


def test_descriptors_of_a_picture_and_its_negative_are_alike_and_repeat_themselves(known):
    pixels = known[1][..., None]
    descriptor = learn(thumbnails(pixels))
    one, other = (describe(p, descriptor).vectors[:, 0] for p in (pixels[:20], 255 - pixels[:20]))
    assert (one * other).sum(axis=1).min() > 0.99
    assert np.array_equal(describe(pixels[:20], learn(thumbnails(pixels))).vectors[:, 0], one)


def test_borders_are_trimmed_and_poses_move_windows():
    picture = np.full((1, 64, 64, 1), 200, dtype=np.uint8)
    picture[0, 8:60, 4:50] = pictures(1)[0, :52, :46, None]
    window = content_windows(picture)
    assert window.tolist() == [[8 / 64, 60 / 64, 4 / 64, 50 / 64]]
    for pose in POSES:
        laid = posed(picture[..., 0], pose)[..., None]
        assert posed_windows(window, pose) == pytest.approx(content_windows(laid))


# ---- the second stage


def test_registration_finds_the_map_between_two_pictures():
    target = thumbnails(pictures(10)[..., None])
    angle = np.deg2rad(4)
    true = np.array([[np.cos(angle), np.sin(angle), 0.06], [-np.sin(angle), np.cos(angle), -0.08]])
    source = sampled(target, np.tile(true.astype(np.float32), (10, 1, 1)))[0].reshape(target.shape)
    start = np.tile(np.eye(2, 3, dtype=np.float32), (10, 1, 1))
    linear, shift = np.linalg.inv(true[:, :2]), true[:, 2]
    expected = np.concatenate([linear, -(linear @ shift)[:, None]], axis=1)
    assert register(target, source, start) == pytest.approx(np.broadcast_to(expected, (10, 2, 3)), abs=0.02)
    assert register(target, 90 - 0.5 * source, start) == pytest.approx(register(target, source, start), abs=0.01)


def test_distance_knows_no_brightness_contrast_or_sign_and_keeps_strangers_apart():
    one, other = (thumbnails(pictures(20, seed=seed)[..., None]) for seed in (0, 1))
    start = np.tile(np.eye(2, 3, dtype=np.float32), (20, 1, 1))
    for changed, negative in ((one, False), (0.5 * one + 90, False), (255 - one, True)):
        distance, sign = compare(one, changed, start)
        assert distance.max() < 0.02
        assert (sign == negative).all()
    assert compare(one, other, start)[0].min() > 0.5


def test_what_is_learned_of_the_references_is_kept(known, ctx, monkeypatch):
    references, queries = images(known[1]), images(known[1][::7, :, ::-1])
    plain, first = find_copies(queries, references), find_copies(queries, references, ctx.store)
    monkeypatch.setattr("synthbench.data.audit.parts.learn", None)  # who calls it fails
    again = find_copies(queries, references, ctx.store)
    for copies in (first, again):
        assert all(np.array_equal(getattr(copies, name), getattr(plain, name)) for name in vars(plain))
    assert len(plain) == 16
    with pytest.raises(TypeError):
        find_copies(queries, images(known[1][1:]), ctx.store)
