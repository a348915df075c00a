from shoufu.kernel.base.resealing import Column

sealings = (
    Column("referrals.Destination", "secret", lambda pk: b"referrals.secret"),
    Column("referrals.Destination", "callback_secret", lambda pk: b"referrals.secret"),
    Column("referrals.Referral", "contact", lambda pk: b"referrals.contact"),
    Column("referrals.Message", "content", lambda pk: b"referrals.message"),
)
