"""Settings from the environment (TRIAGE_…) or `.env`. The README's table is checked against this class."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.engine.options import EngineOptions
from serving.store.secret import FEWEST as SECRET_FEWEST

_ENGINE = EngineOptions()
CHAMPION = Path("artifacts/champion")
SAMPLES = Path("data/samples")  # labelled tickets that come with the project


class Settings(BaseSettings):
    """All settings; an empty variable counts as unset."""

    model_config = SettingsConfigDict(
        env_prefix="TRIAGE_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    bundle: Path | None = Field(None, description="模型包目录;不设则用当前目录下的 artifacts/champion,没有则只用规则")
    bundle_key: SecretStr | None = Field(None, description="模型包签名密钥(HMAC);设置后只接受签名相符的模型包")
    policy: Path | None = Field(None, description="本单位的策略目录;不设则用模型包内的")
    customers: Path | None = Field(
        None, description="各单位户数表(CSV),用于热点与报告的万户投诉率;启动时读取,改后须重启"
    )
    host: str = Field("127.0.0.1", description="服务监听地址;没有建过访问密钥时只监听本机")
    port: int = Field(8000, ge=1, le=65535, description="服务端口")
    workers: int = Field(1, ge=1, le=32, description="服务进程数")
    budget_ms: int = Field(
        _ENGINE.budget_ms, ge=1, le=60_000, description="每次请求的时间预算(毫秒);来不及时由较快的一层应答"
    )
    queue: int = Field(_ENGINE.queue, ge=256, le=100_000, description="至多多少条工单排队等待预测;满了答 503")
    watch_seconds: float = Field(
        _ENGINE.watch_seconds, ge=0, le=3600, description="每隔几秒查看模型包目录是否更换;0 为不查看"
    )
    grace_seconds: int = Field(20, ge=1, le=3600, description="停止服务时最多等未完成的请求几秒")
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="日志级别:DEBUG、INFO、WARNING 或 ERROR"
    )
    database_url: str = Field(
        "sqlite:///artifacts/store/triage.db",
        repr=False,
        description="存储:SQLite 文件(首次启动时建立)或 postgresql+psycopg://用户:口令@主机/库名",
    )
    secret: SecretStr | None = Field(
        None,
        min_length=SECRET_FEWEST,
        description="来电者与工单内容摘要(HMAC)的密钥,至少 16 个字符;不设则在 SQLite 文件旁生成一个(0600),PostgreSQL 须设置",
    )
    rate_per_minute: int = Field(
        60_000, ge=1, le=10_000_000, description="每个密钥每分钟至多多少次调用(批量按条数计,每个服务进程分别计)"
    )
    retention_days: int = Field(365, ge=1, le=36_500, description="工单保存天数(自收到起),到期由 triage db purge 删除")
    webhooks: Path | None = Field(None, description="投递地址表(YAML):desks 为班组到网址,default 为其余班组的网址")
    webhook_hosts: str = Field(
        "", description="允许投递的主机,以逗号分隔:host 或 host:port 用 https;明文 HTTP 须写成 http://host:port"
    )
    webhook_secret: SecretStr | None = Field(None, description="投递签名密钥(Standard Webhooks):base64,可带前缀 whsec_")
    broker_url: SecretStr | None = Field(
        None,
        description="RabbitMQ 地址 amqp://用户:口令@主机/;consume 由此收单,未设 TRIAGE_WEBHOOKS 时 deliver 向此投递",
    )
    park_after: int = Field(30, ge=1, le=1000, description="一条消息投递失败几次后搁置并告警(约一个半小时)")
    due_soon_hours: int = Field(4, ge=1, le=72, description="联系、答复到期前几小时提醒班组")
    arrive_soon_minutes: int = Field(15, ge=1, le=120, description="到场到期前几分钟提醒班组")
    console_host: str = Field("127.0.0.1", description="控制台监听地址;对网络开放前面要有 TLS 反向代理")
    console_port: int = Field(8080, ge=1, le=65535, description="控制台端口")
    console_api: str = Field(
        "http://127.0.0.1:8000", pattern="^https?://", description="控制台所用分拣服务(triage serve)的地址"
    )
    console_https: bool = Field(False, description="浏览器经 TLS(反向代理)访问控制台;登录用的 cookie 只经 TLS 传送")
    bench_data: Path | None = Field(None, description="外部文本(文件或目录),只用于基准测试")
