# SPDX-License-Identifier: MIT
# Files that are no text: one message, whatever the name; its command is run where its tool is at hand.

cp "$here/data/load.csv" load.csv
anomaly -a -q -k host -o csv --fields line,key,value load.csv >expected
printf 'PK\003\004\024\0\0\0\010\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\023\0\0\0[Content_Types].xml' >sheet.xlsx
printf 'PK\003\004\024\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\010\0\0\0mimetypeapplication/vnd.oasis.opendocument.spreadsheet' >sheet.ods
printf '\320\317\021\340\241\261\032\341\0\0\0\0' >sheet.xls
printf '\226\325\165\041\0\0\0\0' >sa04
printf 'PAR1\025\004\025$' >a.parquet
printf 'SQLite format 3\0\020\0' >a.db
printf 'PK\003\004\024\0\0\0\010\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\010\0\0\0load.csv' >a.zip
printf 'BZh91AY&SY\0' >a.bz2
printf '7z\274\257\047\034\0\004' >a.7z
printf '\004\042\115\030\144\100' >a.lz4

says() { # FILE WORDS
    exits "binary: $1 is not read" 1 "anomaly $1"
    equal "binary: $1 has one message" 1 "$(wc -l <err | tr -d ' ')"
    holds "binary: $1 has the command" "$2 | anomaly" err
    cp "$1" plain.csv
    exits "binary: $1 by another name" 1 'anomaly -i csv plain.csv'
    holds "binary: $1 by another name" "$2 | anomaly" err
}
for file in sheet.xlsx sheet.ods sheet.xls; do
    says $file "pandas.read_excel('FILE').to_csv(index=False))\""
done
says a.parquet "pandas.read_parquet('FILE').to_csv(index=False))\""
says a.db "sqlite3 -header -csv FILE 'select * from TABLE'"
says a.zip 'unzip -p FILE'
says a.bz2 'bzip2 -dc FILE'
says a.7z '7z x -so FILE'
says a.lz4 'lz4 -dc FILE'
says sa04 'sadf -d FILE'

gzip -c load.csv | gzip -c >twice.gz
says twice.gz 'gzip -dc FILE'
tar -cf load.tar load.csv
says load.tar 'tar -xOf FILE'
gzip -c load.tar >load.tar.gz
says load.tar.gz 'tar -xOf FILE'

gets_out() { # FILE TABLE: the command of the message reads the file
    anomaly "$1" 2>message
    sed "s/.*can be read: //; s/FILE/$1/; s/TABLE/${2:-}/; s/| anomaly/& -a -q -k host -o csv --fields line,key,value/" message >by-hand
    sh ./by-hand >found 2>&1
    same "binary: the command for $1" expected found
}
gets_out twice.gz
gets_out load.tar
gets_out load.tar.gz
if command -v bzip2 >/dev/null; then
    bzip2 -k load.csv && gets_out load.csv.bz2
fi
if command -v lz4 >/dev/null; then
    lz4 -q load.csv load.csv.lz4 && gets_out load.csv.lz4
fi
if command -v zip >/dev/null && command -v unzip >/dev/null; then
    zip -q load.zip load.csv && gets_out load.zip
fi
if command -v sqlite3 >/dev/null; then
    printf '.mode csv\n.import load.csv load\n' | sqlite3 load.db && gets_out load.db load
fi
