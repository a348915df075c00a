"""What patients and offices are told of visits and their money."""

from shoufu.kernel.base.scene import NoticeWords

NOTICES = (
    NoticeWords(
        "homecare.booked",
        "上门已约好：{service}",
        "{time}，编号 {number}。到时请家中留人。",
        "Booked: {service}",
        "{time}, {number}. Please be at home then.",
    ),
    NoticeWords(
        "homecare.cancelled",
        "上门已取消：{service}",
        "{time}，编号 {number}。由机构取消，不收费；已付的款会退回。",
        "Cancelled: {service}",
        "{time}, {number}. The institution cancelled; what was paid goes back.",
    ),
    NoticeWords(
        "homecare.moved",
        "上门改了时间：{service}",
        "改到 {time}，编号 {number}。",
        "Another time: {service}",
        "Now {time}, {number}.",
    ),
    NoticeWords(
        "homecare.late_payment",
        "付款晚了，正在退回：{service}",
        "{time} 的占位已过期，{amount} 会原路退回。请重新选时间。编号 {number}。",
        "Paid too late, going back: {service}",
        "The hold for {time} had ended; {amount} goes back where it came from. Please choose a time again. {number}.",
    ),
    NoticeWords(
        "homecare.surplus",
        "多付的款正在退回：{service}",
        "{amount} 付到时已没有待付的款，会原路退回。编号 {number}。",
        "Paid too much, going back: {service}",
        "Nothing was due any more when {amount} came; it goes back where it came from. {number}.",
    ),
    NoticeWords(
        "homecare.charged",
        "上门未能进行，有待付的款：{service}",
        "{time} 上门时家中无人或被拒绝。按预约条款应付 {amount}，请在“我的上门”里付款。编号 {number}。",
        "A visit could not take place; something is to be paid: {service}",
        "At {time} nobody was at home, or it was refused. By the terms {amount} is due; pay in “My visits”. {number}.",
    ),
    NoticeWords(
        "homecare.cancel_charged",
        "取消较晚，有待付的款：{service}",
        "{time} 的上门取消得晚于预约条款。按条款应付 {amount}，请在“我的上门”里付款。编号 {number}。",
        "Cancelled late; something is to be paid: {service}",
        "The visit of {time} was cancelled later than the terms allow. {amount} is due; pay in “My visits”. {number}.",
    ),
    NoticeWords(
        "homecare.owed",
        "服务已完成，有待付的款：{service}",
        "{time} 的上门已完成，应付 {amount}，请在“我的上门”里付款。编号 {number}。",
        "Done, and still to be paid: {service}",
        "The visit of {time} was done; {amount} is due, pay under “My visits”. {number}.",
    ),
    NoticeWords(
        "homecare.blocked",
        "这次上门不能照原样进行：{service}",
        "{time}，编号 {number}。处方、评估、执照或病情有变，请处理。",
        "A visit cannot take place as booked: {service}",
        "{time}, {number}. A prescription, assessment, licence or the patient's state changed; please act.",
    ),
    NoticeWords(
        "homecare.blocked_patient",
        "您预约的上门暂时不能进行：{service}",
        "{time}，编号 {number}。原因在“我的上门”里；机构会联系您。",
        "Your visit cannot take place as it stands: {service}",
        "{time}, {number}. Why stands under “My visits”; the institution will get in touch.",
    ),
)
