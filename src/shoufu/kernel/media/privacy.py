"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from shoufu.kernel.privacy.declarations import Erase, Holding, NotPersonal, Retention

holdings = (
    Holding(
        "media.mediaobject",
        lambda s: None,  # chosen by what observations, their own data and their bytes say: privacy/erasure/media.py
        "evidence of what happened at a place",
        "所在地事件的证据",
        30,
        erase=Erase.DELETE,
    ),
)

not_personal = (
    NotPersonal("media.segment", "the ring of a camera: everybody at a place, gone within days by itself"),
    NotPersonal("media.livelook", "the account's number, the camera and the hour"),
)

retentions = (Retention("shoufu.kernel.media.tasks.expire_old", "Pictures past their day", "过期的图片和录像"),)
