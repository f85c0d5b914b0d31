#!/bin/sh
# A file includes convscope.h, its own folder and lower floors; a foreign header has one home; a
# file of a kind (a layer, a method) includes no sister.  tools/check_floors.sh [ROOT]
cd "${1:-.}/src" || exit 2

find . -name '*.[ch]' | sed 's|^\./||' | sort | xargs awk '
    function floors(number, folders, i, n, folder) {
        n = split(folders, folder, " ")
        for (i = 1; i <= n; i++) floor[folder[i]] = number
    }
    # Headers in angle brackets that the files matching `where` may include.
    function home(where, headers) {
        homes++
        home_file[homes] = "^(" where ")$"
        home_header[homes] = "^(" headers ")$"
    }
    function is_at_home(file, header, i) {
        for (i = 1; i <= homes; i++)
            if (file ~ home_file[i] && header ~ home_header[i]) return 1
        return 0
    }
    function no(what) {
        printf "src/%s:%d: %s\n", FILENAME, FNR, what
        bad = 1
    }
    # Whether a folder of kinds keeps its files apart: only its interface is for all. Among methods
    # those are kinds that the table has; what they share has headers of its own.
    function is_sister(from, header, name) {
        name = header
        gsub(/.*\/|\.h$/, "", name)
        return from == "layers" && header ~ /^layers\// && header !~ /^layers\/(layers?\.(h|def)|operations\.def)$/ ||
               from == "methods" && header ~ /^methods\// && name in method
    }
    function read_methods(line, part) {
        while ((getline line < "methods/methods.def") > 0)
            if (line ~ /^METHOD\(/) {
                split(line, part, /[ ,()]+/)
                method[part[3]] = 1
            }
    }
    BEGIN {
        read_methods()
        floors(0, "base")
        floors(1, "tensor")
        floors(2, "kernels image")
        floors(3, "layers")
        floors(4, "graph")
        floors(5, "formats train")
        floors(6, "methods patterns draw")
        floors(7, "report")
        floors(8, "serve")
        floors(9, "api.c")
        floors(10, "cli")

        home(".*", "(assert|ctype|errno|float|inttypes|limits|math|signal|string|time)\\.h")
        home(".*", "std(arg|atomic|bool|def|int|io|lib)\\.h")
        home(".*", "(dirent|fcntl|poll|strings|unistd|sys/.*)\\.h")
        home("base/.*", "(pthread|sched|malloc)\\.h")
        home("serve/.*", "pthread\\.h")
        home("serve/http(_send)?.c", "microhttpd\\.h")
        home("serve/listen.c", "(arpa/inet|netinet/in)\\.h")
        home("base/json.c", "jansson\\.h")
        home("base/zip.c", "minizip/(zip|unzip|ioapi)\\.h")
        home("kernels/.*", "(immintrin|arm_neon)\\.h")
        home("image/.*", "(png|jpeglib|jerror|setjmp|libdeflate|webp/.*|libexif/.*)\\.h")
        home("formats/hdf5_child.c", "(hdf5|malloc)\\.h")
        home("formats/hdf5_write.c", "hdf5\\.h")
        home("draw/font.c", "ft2build\\.h")
    }
    FNR == 1 {
        from = FILENAME
        sub(/\/.*/, "", from)
        if (!(from in floor)) no("is on no floor")
    }
    !(from in floor) { next }
    /^ *# *include *</ {
        split($0, part, /[<>]/)
        if (!is_at_home(FILENAME, part[2])) no("<" part[2] "> does not live here")
    }
    /^ *# *include *"/ {
        split($0, part, /"/)
        header = to = part[2]
        sub(/\/.*/, "", to)
        if (header == "convscope.h" || header == "build_facts.h")
            next
        if (is_sister(from, header))
            no("\"" header "\": sisters do not include each other")
        else if (from == "cli" && to != "base" && to != "cli")
            no("\"" header "\": the program uses convscope.h and base/ alone")
        else if (!(to in floor))
            no("\"" header "\" is on no floor")
        else if (to != from && floor[to] >= floor[from])
            no("\"" header "\" is on floor " floor[to] ", this file on " floor[from])
    }
    END { exit bad }'
