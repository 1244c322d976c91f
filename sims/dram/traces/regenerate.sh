#!/bin/sh
# Captures the shipped traces again: sh regenerate.sh [FOLDER]. About five minutes. Needs valgrind, gcc, sqlite3, mawk,
# xz-utils, bzip2, python3 and archgym. Other versions of these programs give traces alike, not equal.
set -eu
export LC_ALL=C PYTHONHASHSEED=0
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "${1:-$here}" && cd "${1:-$here}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat /usr/include/*.h /usr/include/linux/*.h > headers.txt
seq 1 300000 | awk '{ printf "%d\n", ($1 * 7919) % 1000003 }' > numbers.txt
{
  printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <math.h>\n'
  seq 1 300 | awk '{ printf "double f%d(const double *a, int n) {\n  double s = %d, t = 0;\n", $1, $1
    printf "  for (int i = 0; i < n; i++) { if (a[i] > s) s += a[i] * %d; else t += sqrt(a[i]) / (i + %d); }\n", $1 % 7, $1
    printf "  return s > t ? s - t : fabs(s) + t;\n}\n" }'
} > source.c
gcc -E source.c > source.i
cat > join.sql <<'SQL'
CREATE TABLE t(id INTEGER PRIMARY KEY, k INTEGER, v TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO t SELECT i, (i * 7919) % 1000003, hex(i * i) FROM n;
CREATE INDEX x ON t(k);
SELECT sum(length(a.v) + length(b.v)) FROM t a JOIN t b ON b.k = a.k + 1 ORDER BY a.k;
SELECT count(*) FROM t WHERE v LIKE '%AB%';
SQL
cat > objects.py <<'PY'
import json
rows = [{"id": i, "name": str(i * i), "tags": [i % 7, i % 11]} for i in range(30000)]
print(len(json.dumps(json.loads(json.dumps(rows)))))
PY

capture() { # name, instructions to skip, command
  name=$1 skip=$2
  shift 2
  archgym trace capture --out "$out/$name.npz" --llc 256K/8 --skip "$skip" --limit 20000 -- "$@"
}
capture sort 10000000 sort --parallel=1 numbers.txt
capture compile 20000000 "$(gcc -print-prog-name=cc1)" -quiet -O2 -fpreprocessed source.i -o /dev/null
capture mawk 5000000 mawk '{ n[$1 % 50021] += $1 } END { for (k in n) s += n[k]; print s }' numbers.txt
capture xz 10000000 xz -T1 -c headers.txt
capture bzip2 20000000 bzip2 -c headers.txt
capture json 40000000 /usr/bin/python3 -I objects.py
capture sqlite 60000000 sqlite3 -init join.sql :memory: .quit
