"""Find people's names by surname and what stands around them. Part of masking (`model.privacy`)."""

import re
from collections.abc import Iterator
from functools import cache

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石"
    "廖贾夏韦付方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳"
    "翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶牟艾尤阳穆"
    "农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂佟应臧闵苟邬边卞姬师仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池"
    "麻苑迟邝官谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘闻厉伊仝郜海阚花权强帅屠豆朴盖廉禹井祖漆巴丰支卿国狄"
)
_DOUBLE = "欧阳|上官|司马|诸葛|司徒|尉迟|皇甫|慕容|令狐|端木|东方|夏侯|公孙|轩辕|南宫"
_POLITE = "先生|女士|小姐|太太|老先生|大爷|大妈|大娘|大叔|大伯|大姐|大哥|阿姨|阿婆|阿公|老太|老太太|老汉|奶奶|爷爷|婆婆|老爷子|叔叔|伯伯|嬢嬢|孃孃|师傅|老师|老板娘?|同学|同志|医生|大夫|护士|律师"
_OFFICE = "经理|主任|所长|副所长|站长|班长|队长|组长|书记|村长|支书|会计|科长|局长|部长|处长|值长|店长|校长|园长|专责|电工|工程师|总"
# words that begin with a surname and are no name
_WORDS = frozenset(
    "安装 施工 项目 查电 查表 计量 管电 管理 包工 单位 成都 时候 关于 和解 全体 常务 高压 高级 华为 应急 任何 于是 路灯 石油 项 白天 万能 文明 商铺 商场 "
    "金融 毛病 国网 国家 成人 强电 花钱 明白 明天 海尔 原来 支付 满意 解释 连着 连续 应该 应当 师傅 权利 封表 房东 房产 车间 车主 简单 何况 易燃 党员 "
    "边上 南方 乐意 谈到 解决 方便 别的 值班 卫生 农网 农电 农业 农村 关门 关电 巡线 巡检 全部 全家 全是 古老 温度 江边 江苏 高楼 高层 成天 "
    "安全 安排 马上 左右 左边 方面 方法 向来 常常 常年 通知 曾经 何时 余额 余款 水电 席位 支行 连夜 单独 单元 班组 房屋 符合 项目部 原先 满了 满口 "
    "计算 管线 管辖 管片 管户 管区 管所 解除 解约 谈话 充电 欧洲 关系 关键 居委 村委 社区 物业 小区 区域 区县 商业 时间 全村 华北 马路 万一 毕竟 祖上 "
    "明细 明显 单子 单据 成本 成功 金额 金属 金牌 石头 石材 白班 夏天 夏季 冬季 秦岭 黄山 黄河 和气 和谐 和善 封条 郑重 温馨 温柔 康复 甘肃 "
    "宁夏 云南 湖南 河南 海南 山东 江西 安徽 广东 武汉 文件 文员 文化 管家 查线 查账 查窃 查看 施救 施加 查验 房管 国土 国企 车管 连锁".split()
)
_NICK_NOT = frozenset("时区路车房师和米包单全白花商官关海应成应明乐时满原支国权强封区连解古管伊皮巴位楼查盘豆柴麻练项简左安方边席沙班文井")
_HAN = r"[\u4e00-\u9fa5]"
_AFTER_NAME = r"(?=[,。;:、!?\s()（）“”\"⟦【\]]|的|说|讲|电话|来电|反映|致电|身份|在|是|家|和|手机|联系|$)"
_PLACE_AFTER = r"(?![庄村镇屯寨店街河山沟湾岗坡寺坝圩集堡堂桥路家])"


def given_name_spans(text: str) -> Iterator[tuple[int, int]]:
    """Spans of names in a text; honorifics and offices stay outside.

    Args:
        text: normalised text.

    Yields:
        Start and end of each name, possibly overlapping.
    """
    for pattern in _patterns():
        for found in pattern.finditer(text):
            if not _is_word(text, *found.span("x")):
                yield found.span("x")


def _is_word(text: str, start: int, end: int) -> bool:
    name = text[start:end]
    if name in _WORDS or text[start : start + 2] in _WORDS:
        return True
    return name in "向于和时成" and start > 0 and text[start - 1] in "我你他她们客户就也都又没去来打是"


@cache
def _patterns() -> tuple["re.Pattern[str]", ...]:
    surname = rf"(?:{_DOUBLE}|[{_SURNAMES}])"
    nick = "".join(c for c in _SURNAMES if c not in _NICK_NOT)
    full = rf"{surname}{_HAN}{{1,2}}?"
    return tuple(
        re.compile(pattern)
        for pattern in (
            rf"(?P<x>{surname}(?:{_HAN}{{1,2}}|某{{1,2}}|x{{1,2}}|\*{{1,2}})??)(?={_POLITE})",
            rf"(?P<x>{surname}(?:{_HAN}{{1,2}}|某{{1,2}})??)(?=(?:{_OFFICE})(?!室|办|们))",
            rf"(?:我叫|名叫|叫做|名字叫|名字是|姓名|联系人|户主|户名|机主|来电人|投诉人|当事人|被投诉人|本人叫)(?:[ ]?(?:是|为|叫|:))*[ ]?(?P<x>{full}){_AFTER_NAME}",
            rf"(?<=姓)(?P<x>{surname})(?=[,。;:、!?\s)”\"的那]|$)",
            rf"(?<![大最])(?P<x>[小老阿][{nick}])(?![{_SURNAMES}]?(?:{_POLITE})){_PLACE_AFTER}(?![时年月日学妹弟])",
            rf"(?:抄表员|收费员|营业员|柜员|催费员|检查员|台区经理|客户经理|供电所|窗口|电工|师傅|坐席|员工|窗口的|厅里的|所里的|主任|所长|经理)(?P<x>{full})(?=[,。;:!?\s(]|说|讲|态度|不|把|没|来|上门|当|跟|给|在)",
            rf"(?P<x>[{_SURNAMES}]某某?)",
            rf"(?P<x>[{_SURNAMES}](?:某|\*|x|X){{1,2}})",
            rf"(?P<x>{surname})(?=工(?:[,。说]|程师))",
        )
    )
