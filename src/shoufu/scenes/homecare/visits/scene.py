from shoufu.kernel.access.roles import MONEY
from shoufu.kernel.base.scene import ActName, MenuItem, Part, Role
from shoufu.scenes.homecare.visits.notices import NOTICES

part = Part(
    notices=NOTICES,
    menu=(
        MenuItem("上门服务", "Visits", "calendar-event", "homecare:visits:list", "homecare.view"),
        MenuItem("我的上门", "My visits", "calendar-event", "homecare:visits:mine", "own.care"),
    ),
    roles=(
        Role(
            "care_accountant",
            "护理机构财务",
            "Care institution's accountant",
            MONEY | {"homecare.orders", "places.view", "notices.view"},
        ),
    ),
    acts=(
        ActName("homecare.visit.hold", "为您占了上门时间", "Held a time for a visit to you"),
        ActName("homecare.visit.consent", "记下了您对服务的同意", "Noted your consent to a service"),
        ActName("homecare.visit.again", "重新安排了已付款的上门", "Placed a visit again that was paid"),
        ActName("homecare.visit.book", "约好了为您上门", "Booked a visit to you"),
        ActName("homecare.visit.move", "更改了为您上门的时间", "Moved a visit to you"),
        ActName("homecare.visit.place", "把为您上门的地点改到新住处", "Moved a visit to your new home"),
        ActName("homecare.visit.cancel", "取消了为您上门", "Cancelled a visit to you"),
        ActName("homecare.visit.expire", "未付款的占位已释放", "Let a hold go that was not paid"),
        ActName("homecare.visit.pay", "上门费用已付", "A visit was paid"),
        ActName("homecare.visit.overpay", "收到了多付的款", "More was paid than was due"),
        ActName("homecare.visit.owe", "登记了上门应付的款", "Noted what is owed for a visit"),
        ActName("homecare.visit.excuse", "免除了未在家的收费", "Took back a charge for not being at home"),
        ActName("homecare.visit.refund", "上门费用有退款", "Money of a visit went back"),
        ActName("homecare.visit.block", "标记上门暂不能进行", "Marked that a visit cannot take place as booked"),
        ActName("homecare.visit.unblock", "取消了暂不能进行的标记", "Took that mark away"),
        ActName("homecare.visit.note", "查看了您对上门护理的留言", "Read what you asked of who comes"),
        ActName("homecare.prescription.add", "登记了您的处方", "Wrote down a prescription of yours"),
        ActName("homecare.prescription.look", "查看了您的处方", "Looked at a prescription of yours"),
        ActName("homecare.prescription.check", "核对了您的处方原件", "Checked the original of your prescription"),
        ActName("homecare.prescription.revoke", "作废了您的处方", "Revoked a prescription of yours"),
        ActName("homecare.visit.begin", "开始为您上门服务", "Began a visit at your home"),
        ActName("homecare.visit.finish", "完成了为您的上门服务", "Finished a visit at your home"),
        ActName("homecare.visit.miss", "登记上门服务未能进行", "Noted that a visit could not take place"),
    ),
)
