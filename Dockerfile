# 两段构建:第一段做轮子,第二段只装轮子;不含源码、编译器、口令与模型包。
# 内网构建:docker compose build --build-arg BASE=内网镜像库/python:3.11-slim --build-arg PIP_INDEX_URL=内网索引
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
ARG PIP_INDEX_URL
WORKDIR /src
COPY pyproject.toml constraints.txt README.md NOTICE ./
COPY model model
COPY training training
COPY serving serving
COPY triage triage
RUN pip wheel --no-cache-dir --use-pep517 --constraint constraints.txt --wheel-dir /wheels '.[serve]'

FROM ${BASE}
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels 'complaint-triage[serve]' \
    && useradd --system --uid 10001 --user-group --no-create-home --home-dir /var/lib/triage triage \
    && install -d -o triage -g triage /var/lib/triage
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 XDG_CACHE_HOME=/tmp
WORKDIR /var/lib/triage
USER 10001
EXPOSE 8000
CMD ["triage", "serve"]
