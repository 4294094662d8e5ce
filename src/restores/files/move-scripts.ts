/**
 * Shell scripts for the one-off container that moves files: POSIX, with the tools of busybox. Arguments of each: the path, what was
 * unpacked of it, the name of the folder for what was there, and the folders whose content changes places (the path
 * itself among them). Mounts that stay as they are come last, after `--`; what is mounted as a file stays wherever it is named.
 * Each may be cut off anywhere and run again: what is done is seen, or marked next to the unpacked data.
 */
const COMMON = `set -eu
path=$1; staged=$2; before=$3; shift 3
marks=\${staged%/*}
ours() { case "\${1##*/}" in .diun-pilot-restore-*|.diun-pilot-before-*) return 0 ;; esac; return 1; }
there() { [ -e "$1" ] || [ -L "$1" ]; }
unit() { one=$1; shift; for each in "$@"; do [ "$each" = "$one" ] && return 0; done; return 1; }
like() { chown "$(stat -c %u:%g "$1")" "$2"; chmod "$(stat -c %a "$1")" "$2"; }
`;

/**
 * `$1` → `$2`, all but ours and the units, whose content is moved separately; `$3`: the folder that has the names of the units.
 * To another mount `mv` would copy, and then remove file by file: cut off there, neither side is known to be whole. So it is
 * copied under a name of ours, and each side changes by a rename: what has its own name is whole, on both sides. Mounts of one
 * file system differ by nothing but that a file which is moved from one to the other becomes another one.
 */
const MOVE = `part=\${before%-*}-00
move() {
  from=$1; to=$2; as=$3; shift 3
  rm -rf "$from/$part" "$to/$part"
  : > "$from/$part"; was=$(stat -c %d:%i "$from/$part")
  mv "$from/$part" "$to/"; is=$(stat -c %d:%i "$to/$part")
  rm -f "$to/$part"
  for entry in "$from"/* "$from"/.[!.]* "$from"/..?*; do
    there "$entry" || continue
    name=\${entry##*/}
    if ours "$entry" || unit "$as/$name" "$@"; then continue; fi
    if [ "$was" = "$is" ]; then rm -rf "\${to:?}/$name"; mv "$entry" "$to/"; continue; fi
    cp -a "$entry" "$to/$part"
    rm -rf "\${to:?}/$name"
    mv "$to/$part" "$to/$name"
    mv "$entry" "$from/$part"
    rm -rf "$from/$part"
  done
}
`;

/** The old aside first, marked when all of it is; then the new in its place, with owner and mode of the folder itself. */
export const SWAP = `${COMMON}${MOVE}
if [ ! -d "$staged" ]; then
  kept=\${path%/*}/$before
  if [ ! -e "$marks/aside-1" ]; then
    mkdir -p "$kept"
    if there "$path"; then cp -p "$path" "$kept/"; fi
    : > "$marks/aside-1"
  fi
  cp -p "$staged" "$path"
  exit 0
fi
n=0
for folder in "$@"; do
  [ "$folder" != -- ] || break
  n=$((n + 1)); kept=$folder/$before; new=$staged\${folder#"$path"}
  [ -d "$folder" ] || continue
  if [ ! -e "$marks/aside-$n" ]; then
    mkdir -p "$kept"; like "$folder" "$kept"
    move "$folder" "$kept" "$folder" "$@"
    : > "$marks/aside-$n"
  fi
  if [ -d "$new" ]; then
    move "$new" "$folder" "$folder" "$@"
    like "$new" "$folder"
  fi
done
`;

/**
 * The new data is moved back to its staging folder, and only then the previous data is restored; the mark goes before what it
 * speaks of, or a second time would take what came back for what was put in place.
 */
export const SWAP_BACK = `${COMMON}${MOVE}
if [ ! -d "$staged" ]; then
  kept=\${path%/*}/$before
  if [ -e "$marks/aside-1" ]; then
    if there "$kept/\${path##*/}"; then cp -p "$kept/\${path##*/}" "$path"; else rm -f "$path"; fi
    rm -f "$marks/aside-1"
  fi
  rm -rf "$kept"
  exit 0
fi
n=0
for folder in "$@"; do
  [ "$folder" != -- ] || break
  n=$((n + 1)); kept=$folder/$before; new=$staged\${folder#"$path"}
  [ -d "$folder" ] || continue
  if [ -e "$marks/aside-$n" ]; then
    mkdir -p "$new"
    move "$folder" "$new" "$folder" "$@"
    rm -f "$marks/aside-$n"
  fi
  if [ -d "$kept" ]; then
    move "$kept" "$folder" "$folder" "$@"
    like "$kept" "$folder"
    rmdir "$kept"
  fi
done
`;

/** An empty place to unpack into, which only root can read. */
export const MAKE_ROOM = `${COMMON}
rm -rf "$marks"
mkdir -p "$marks"
chmod 700 "$marks"
`;

export const CLEAR = `${COMMON}
rm -rf "$marks"
`;

/** Takes away what only the way there needed, and says which folders hold what was there before. */
export const TIDY = `${COMMON}
rm -rf "$marks"
[ -d "$path" ] || set -- "\${path%/*}"
for folder in "$@"; do
  [ "$folder" != -- ] || break
  if [ -d "$folder/$before" ]; then rmdir "$folder/$before" 2>/dev/null || echo "$folder/$before"; fi
done
`;

/**
 * A new, empty database cluster next to the current one, made by the image's own `initdb`, which refuses root and a folder with
 * anything in it. Of the owner of the data directory, with what the old one is configured by. Arguments after the first
 * three: lines for postgresql.conf, then the options of `initdb`. It is not started; `postgres -C` reads its configuration.
 */
export const MAKE_CLUSTER = `${COMMON}
lines=$1; shift
owner=$(stat -c %u:%g "$path"); uid=\${owner%:*}; gid=\${owner#*:}
fail() { echo "$1" >&2; tail -n 8 "$marks/log" >&2 2>/dev/null || true; exit 1; }
[ "$uid" != 0 ] || fail "$path is owned by root, and initdb refuses to run as root."
[ ! -L "$path/pg_wal" ] || fail "The write-ahead log (pg_wal) is in a folder of its own, which a new cluster would not have."
grep -q "^[^:]*:[^:]*:$uid:" /etc/passwd || echo "owner:x:$uid:$gid::/:/bin/sh" >> /etc/passwd
as_owner() {
  if command -v gosu >/dev/null; then gosu "$uid:$gid" "$@"
  elif command -v su-exec >/dev/null; then su-exec "$uid:$gid" "$@"
  else setpriv --reuid="$uid" --regid="$gid" --clear-groups "$@"; fi
}
rm -rf "$marks"
mkdir -p "$marks"
chmod 700 "$marks"
: > "$marks/log"
chown -R "$owner" "$marks"
cd "$marks"
as_owner initdb --pgdata="$staged" "$@" >> "$marks/log" 2>&1 || fail "initdb failed:"
printf '%s' "$lines" >> "$staged/postgresql.conf"
for entry in "$path"/*; do
  name=\${entry##*/}
  case "$name" in
    postgresql.auto.conf|pg_ident.conf) cp -p "$entry" "$staged/" ;;
    base|global|log|pg_*|PG_VERSION|postmaster.*|*.signal|*.old|core*|lost+found|current_logfiles|backup_label*|tablespace_map*) ;;
    *) if there "$entry" && ! there "$staged/$name"; then cp -Rp "$entry" "$staged/"; fi ;;
  esac
done
printf '' > "$marks/log"
as_owner postgres -C data_directory -D "$staged" >> "$marks/log" 2>&1 || fail "The new version does not accept the configuration:"
`;

/** Puts the rules for connections in place that the old cluster had; until then only a client in the container reaches the new one. */
export const OPEN_CLUSTER = `${COMMON}
kept=$path/$before
cp -p "$kept/pg_hba.conf" "$path/pg_hba.conf.new"
like "$path/PG_VERSION" "$path/pg_hba.conf.new"
mv "$path/pg_hba.conf.new" "$path/pg_hba.conf"
`;

/** Removes what was there before: already gone is fine. */
export const REMOVE_BEFORE = `${COMMON}
for folder in "$@"; do rm -rf "$folder/$before"; done
`;

/** Whether there is no file in a folder and below it. Arguments: the folder, and the mounts, which are not looked into. */
export const HOLDS_NOTHING = `set -eu
look() {
  folder=$1; shift
  for entry in "$folder"/* "$folder"/.[!.]* "$folder"/..?*; do
    [ -e "$entry" ] || [ -L "$entry" ] || continue
    for mount in "$@"; do [ "$entry" != "$mount" ] || continue 2; done
    if [ -L "$entry" ] || [ ! -d "$entry" ]; then echo "$entry is there"; exit 1; fi
    (look "$entry" "$@")
  done
}
look "$@"
`;

/** Whether an image can run the others. */
export const HAS_TOOLS =
  'for tool in mv cp rm mkdir rmdir chown chmod stat; do command -v "$tool" >/dev/null || exit 1; done';
