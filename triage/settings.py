"""Settings from the environment (TRIAGE_…) or `.env`. The README's table is checked against this class."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

CHAMPION = Path("artifacts/champion")


class Settings(BaseSettings):
    """All settings; an empty variable counts as unset."""

    model_config = SettingsConfigDict(
        env_prefix="TRIAGE_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    bundle: Path | None = Field(None, description="模型包目录;不设则用当前目录下的 artifacts/champion,没有则只用规则")
    bundle_key: SecretStr | None = Field(None, description="模型包签名密钥(HMAC);设置后只接受签名相符的模型包")
    policy: Path | None = Field(None, description="本单位的策略目录;不设则用模型包内的")
    host: str = Field("127.0.0.1", description="服务监听地址;目前没有访问密钥,只监听本机")
    port: int = Field(8000, ge=1, le=65535, description="服务端口")
    workers: int = Field(1, ge=1, le=32, description="服务进程数")
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="日志级别:DEBUG、INFO、WARNING 或 ERROR"
    )
    bench_data: Path | None = Field(None, description="外部文本(文件或目录),只用于基准测试")
