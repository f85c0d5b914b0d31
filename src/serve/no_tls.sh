# no_tls.sh LIBRARY - C for what libmicrohttpd's archive calls of GnuTLS. The program speaks to its
# own machine without encryption, and GnuTLS has no archive that could be linked: each of its
# functions fails here, and none but the one that prepares the library is ever called.
echo '/* Made by no_tls.sh. */'
echo 'typedef int cx_no_tls; /* where nothing is called */'
nm "$1" 2>/dev/null | sed -n 's/^ *U \(gnutls_[a-z0-9_]*\)$/\1/p' | sort -u |
    while read -r name; do
        echo "int $name(void);"
        echo "int $name(void)"
        echo "{"
        echo "    return -1;"
        echo "}"
    done
