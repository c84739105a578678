#!/usr/bin/env bash
# Builds the image and runs it without a Docker engine, as root: buildah builds in a chroot on a Debian base made by
# debootstrap, and the image is run by its own user on a root that is mounted read-only, with a tmpfs for /tmp alone.
#   apt-get install buildah debootstrap; deploy/prove_image.sh [a folder that pip is to see as well, such as one of wheels]
set -euo pipefail
cd "$(dirname "$0")/.."
work=$PWD/build/image
base=$(awk '$1 == "FROM" { print $2; exit }' Dockerfile)
port=8931
store=(--root "$work/store" --runroot "$work/run" --storage-driver vfs)
mkdir -p "$work"

if [ ! -e "$work/debian/done" ]; then
  debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$work/debian"
  ln -sf python3 "$work/debian/usr/bin/python"
  cp /etc/ssl/certs/ca-certificates.crt "$work/debian/etc/ssl/certs/"
  rm -rf "$work"/debian/var/cache/apt/* "$work"/debian/var/lib/apt/lists/*
  touch "$work/debian/done"
fi
if ! buildah "${store[@]}" inspect --type image "$base" > /dev/null 2>&1; then
  container=$(buildah "${store[@]}" from scratch)
  buildah "${store[@]}" add --quiet "$container" "$work/debian" /
  buildah "${store[@]}" commit --quiet "$container" "$base"
  buildah "${store[@]}" rm "$container" > /dev/null
fi

volumes=()
for folder in "$@"; do volumes+=(--volume "$folder:$folder:ro"); done
settings=()
for name in "${!PIP_@}"; do settings+=(--env "$name=${!name}"); done
buildah "${store[@]}" build --isolation chroot --format docker --pull-never --layers "${volumes[@]}" "${settings[@]}" --tag sentiment .

container=$(buildah "${store[@]}" from --pull-never sentiment)
root=$(buildah "${store[@]}" mount "$container")
trap 'buildah "${store[@]}" rm "$container" > /dev/null' EXIT

read_config() { buildah "${store[@]}" inspect --type image --format "$1" sentiment; }
user=$(read_config '{{.OCIv1.Config.User}}')
[ "$user" = 10001 ] || { echo "the image's user is $user"; exit 1; }
echo "size, MB: $(du -sm "$root" | cut -f1), of it the base $(du -sm "$work/debian" | cut -f1)"
echo "largest folders, MB:"
du -m "$root/venv/lib/python3.11/site-packages" "$root/app" --max-depth=1 | sort -rn | sed -n '1,12p' | sed "s#$root##"
for unwanted in root/.cache app/tests app/benchmarks app/recipes app/sentiment/{cli,evaluation,scoring,training} venv/bin/pip; do
  [ ! -e "$root/$unwanted" ] || { echo "the image holds $unwanted"; exit 1; }
done

tools=$(find "$root" -xdev -type f -perm -u+x \( -name gcc -o -name 'gcc-[0-9]*' -o -name cc1 -o -name ld -o -name as -o -name make \))
[ -z "$tools" ] || { echo "the image holds what compiles: $tools"; exit 1; }
# Certificates of authorities are public; keys, passwords and the like are not.
secrets=$(find "$root" -xdev -type f \( -name '*.key' -o -name 'id_*' -o -name '.env*' -o -name '.netrc' -o -name 'pip.conf' -o -name '*.pem' \) \
  -not -path '*/etc/ssl/certs/*' -not -name cacert.pem)
secrets+=$(grep --recursive --files-with-matches --binary-files=without-match -e '-----BEGIN [A-Z ]*PRIVATE KEY-----' \
  "$root"/{app,etc,home,root,srv,var} 2> /dev/null || true)
[ -z "$secrets" ] || { echo "the image holds what may be a secret: $secrets"; exit 1; }

# What `docker run --read-only --tmpfs /tmp` does, in a mount namespace of its own.
inside='
mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && mount -t tmpfs tmpfs "$0/tmp" && mount -t proc proc "$0/proc"
mount --bind /dev "$0/dev" && mount -t tmpfs -o mode=1777,size=64m tmpfs "$0/dev/shm"
exec chroot --userspec=10001:10001 "$0" /usr/bin/env -i PATH=/venv/bin:/usr/bin:/bin PORT="$1" HOST=127.0.0.1 \
  PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 WORKERS=1 sh -c "cd /app && $2"
'
# It becomes what it runs, so that a signal to it is one to the service.
run() { exec unshare --mount --propagation private bash -euc "$inside" "$root" "$port" "$1"; }
! (run 'touch /app/x /venv/x 2> /dev/null') || { echo 'the root is not read-only'; exit 1; }
run 'exec gunicorn --config service/gunicorn.conf.py' > "$work/log" 2>&1 &
server=$!
health='import os, urllib.request as r; r.urlopen("http://127.0.0.1:%s/health/ready" % os.environ["PORT"], timeout=2)'
for _ in $(seq 120); do
  kill -0 "$server" 2> /dev/null || { tail "$work/log"; exit 1; }
  if PORT=$port python3 -c "$health" 2> /dev/null; then break; fi
  sleep 1
done
echo 'healthy'
curl --silent --fail --header 'Content-Type: application/json' --data '{"text": "Not bad at all."}' \
  "http://127.0.0.1:$port/v1/predict"
echo
users=$(ps -o uid= -p "$server" --ppid "$server" | sort -u | tr -d ' ')
[ "$users" = 10001 ] || { echo "its processes run as $users"; exit 1; }
echo "its processes run as $users, with no compiler and no secret at hand"
# A stop while requests are on their way loses none of them.
for _ in $(seq 20); do
  curl --silent --output /dev/null --write-out '%{http_code}\n' --header 'Content-Type: application/json' \
    --data '{"text": "Not bad at all."}' "http://127.0.0.1:$port/v1/predict" >> "$work/codes" &
done
sleep 0.2
kill -TERM "$server"
wait "$server" && echo 'stopped with 0'
wait
sort "$work/codes" | uniq -c
rm "$work/codes"
