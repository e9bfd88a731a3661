"""The pictures that are sent are pictures: read by another library."""

import io

from PIL import Image

from serving.llm.check.vision import picture


def test_the_picture_is_a_png_of_one_colour() -> None:
    with Image.open(io.BytesIO(picture((220, 20, 20), side=32))) as image:
        image.load()
        assert (image.format, image.size, image.mode) == ("PNG", (32, 32), "RGB")
        assert image.getcolors() == [(32 * 32, (220, 20, 20))]
