"""Columns that several registers share."""

from shoufu.kernel.imports import cells
from shoufu.kernel.imports.kinds import Field

COMPOUND = Field("compound", "小区", "Compound", cells.text(80), ("小区名称", "小区名", "estate"), example="松山小区")
BUILDING = Field(
    "building",
    "楼",
    "Building",
    cells.text(80),
    ("楼号", "楼栋", "楼栋号", "楼宇", "栋", "栋号", "幢", "幢号"),
    example="5号楼",
)
UNIT = Field("unit", "单元", "Unit", cells.text(80), ("单元号", "梯", "entrance"), example="2单元")
NUMBER = Field(
    "number",
    "房号",
    "Door number",
    cells.door_number,
    ("户号", "门牌号", "门牌", "室", "室号", "房间号", "房间", "房屋", "flat", "room", "apartment"),
    example="301",
)
ADDRESS = Field(
    "address",
    "住址",
    "Address",
    cells.text(120),
    ("地址", "房屋地址", "楼房号", "楼-单元-房号", "home", "full address"),
    example="5-2-301",
)
PHONE = Field(
    "phone",
    "电话",
    "Phone",
    cells.phone,
    ("手机", "手机号", "手机号码", "联系电话", "联系方式", "电话号码", "mobile", "tel", "telephone"),
    example="13800000000",
)
IDENTITY = Field(
    "identity",
    "身份证号",
    "Identity number",
    cells.identity,
    ("身份证", "身份证号码", "公民身份号码", "证件号", "证件号码", "id number", "id card", "identity"),
    example="",
)
NAME = Field(
    "name",
    "姓名",
    "Name",
    cells.text(80),
    ("名字", "住户姓名", "业主姓名", "居民姓名", "人员姓名", "full name"),
    required=True,
    example="王小明",
)
SINCE = Field(
    "since",
    "起始日期",
    "Since",
    cells.day,
    (
        "入住日期",
        "入住时间",
        "开始日期",
        "租期起",
        "租期开始",
        "起租日期",
        "生效日期",
        "登记日期",
        "入职日期",
        "from",
        "start",
    ),
    example="2024-03-01",
)
LAST = Field(
    "last",
    "最后一天",
    "Last day",
    cells.last_day,
    (
        "租期止",
        "租期至",
        "租期结束",
        "到期日",
        "到期日期",
        "结束日期",
        "截止日期",
        "终止日期",
        "离职日期",
        "until",
        "end",
        "to",
    ),
    example="2027-02-28",
)
