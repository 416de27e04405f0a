#!/bin/sh
# Installs complaint-triage from this folder alone; no network is used.
#   sh install.sh [FOLDER]     default: ./triage
# Needs Linux, the Python named by this kit, and nothing else. A second run over the same folder upgrades the program
# and leaves store, settings and a champion that is already there alone.
set -eu
kit=$(cd "$(dirname "$0")" && pwd)
home=${1:-./triage}
python=${PYTHON:-python3}

echo "核对校验和 ..."
(cd "$kit" && sha256sum --quiet --check SHA256SUMS) || { echo "校验和不符:安装包不完整或被改动,请重新复制" >&2; exit 1; }
# what the sums do not know is not installed either: pip would take a wheel that somebody laid beside the others
there=$(cd "$kit" && find wheels champion encoder ! -type d 2>/dev/null | sort)
known=$(cd "$kit" && sed 's/^[0-9a-f]*  //' SHA256SUMS | grep -E '^(wheels|champion|encoder)/' | sort)
[ "$there" = "$known" ] || { echo "安装包里有清单以外的文件,可能被改动:请重新复制" >&2; exit 1; }

wanted=$(ls "$kit"/wheels/complaint_triage-*.whl)
extras=$(cat "$kit/extras")
mkdir -p "$home/artifacts"
home=$(cd "$home" && pwd)
if ! "$python" -m venv "$home/venv"; then
    echo "无法建立虚拟环境:请安装 python3-venv,或用 PYTHON=/path/to/python3.x 指定与安装包同版本的 Python" >&2
    exit 1
fi
echo "安装 ..."
"$home/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --find-links "$kit/wheels" \
    --force-reinstall --no-deps "$wanted"
"$home/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --find-links "$kit/wheels" \
    --constraint "$kit/constraints.txt" "complaint-triage${extras:+[$extras]}"
if [ ! -e "$home/artifacts/champion" ]; then
    cp -R "$kit/champion" "$home/artifacts/.champion-new"
    mv "$home/artifacts/.champion-new" "$home/artifacts/champion"
fi
[ -d "$kit/encoder" ] && cp -R "$kit/encoder" "$home/artifacts/encoder" || true

echo "试答一条工单 ..."
cd "$home"
venv/bin/triage predict --text "停电三小时了,打了两次电话没人管" >/dev/null
echo "已装好:$home"
echo "接着:cd $home && venv/bin/triage serve    然后在另一终端 venv/bin/triage console;说明见 $kit/docs/operate.zh-CN.md"
