"""Makes people's heads unrecognisable in pictures and clips, and puts a mark into them."""

from .regions import BlurOptions, Region, Subject, heads, link
from .rendering import BlurError, Blurred, blur_clip, blur_picture

__all__ = ["BlurError", "BlurOptions", "Blurred", "Region", "Subject", "blur_clip", "blur_picture", "heads", "link"]
