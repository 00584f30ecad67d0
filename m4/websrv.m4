# What configure asks, one macro a question.

# WEBSRV_LIBRARY(NAME, MODULE, DEBIAN-PACKAGE): NAME_CFLAGS and NAME_LIBS, or a clear end.
AC_DEFUN([WEBSRV_LIBRARY], [
  AC_ARG_VAR([$1_CFLAGS], [compiler flags for $1, overriding pkg-config])
  AC_ARG_VAR([$1_LIBS], [linker flags for $1, overriding pkg-config])
  AC_MSG_CHECKING([for $2])
  AS_IF([test -n "[$]$1_LIBS"], [version_$1=given],
        ["$PKG_CONFIG" --exists "$2"],
        [$1_CFLAGS=`"$PKG_CONFIG" --cflags "$2"`
         $1_LIBS=`"$PKG_CONFIG" --libs "$2"`
         version_$1=`"$PKG_CONFIG" --modversion "$2"`],
        [AC_MSG_RESULT([no])
         AC_MSG_ERROR([$2 is missing; Debian: apt-get install $3])])
  AC_MSG_RESULT([[$]version_$1])
])

# WEBSRV_OPTIONAL_LIBRARY(NAME, MODULE, DEBIAN-PACKAGE, PURPOSE): --with-name, used if found unless
# it says otherwise. Gives what WEBSRV_LIBRARY gives, and HAVE_NAME for C and make.
AC_DEFUN([WEBSRV_OPTIONAL_LIBRARY], [
  AC_ARG_VAR([$1_CFLAGS], [compiler flags for $1, overriding pkg-config])
  AC_ARG_VAR([$1_LIBS], [linker flags for $1, overriding pkg-config])
  AC_ARG_WITH(m4_tolower([$1]),
    [AS_HELP_STRING([--with-]m4_tolower([$1]), [$4 by $2 (default: if found)])],
    [websrv_with=$withval], [websrv_with=check])
  AC_MSG_CHECKING([for $2])
  have_$1=yes
  AS_CASE([$websrv_with],
    [no], [have_$1=no],
    [yes|check], [],
    [AC_MSG_ERROR([--with-]m4_tolower([$1])[ takes no value; where $2 is, PKG_CONFIG_PATH says])])
  AS_IF([test $have_$1 = no],
        [version_$1=no],
        [test -n "[$]$1_LIBS"],
        [version_$1=given],
        ["$PKG_CONFIG" --exists "$2"],
        [$1_CFLAGS=`"$PKG_CONFIG" --cflags "$2"`
         $1_LIBS=`"$PKG_CONFIG" --libs "$2"`
         version_$1=`"$PKG_CONFIG" --modversion "$2"`],
        [have_$1=no
         version_$1="no: $2 is missing; Debian: apt-get install $3"])
  AS_IF([test $have_$1 = no], [$1_CFLAGS= $1_LIBS=])
  AC_MSG_RESULT([[$]version_$1])
  AS_IF([test $websrv_with = yes && test $have_$1 = no],
    [AC_MSG_ERROR([$2 is missing; Debian: apt-get install $3])])
  AS_IF([test $have_$1 = yes], [AC_DEFINE([HAVE_$1], [1], [$4 by $2])])
  AM_CONDITIONAL([HAVE_$1], [test $have_$1 = yes])
])

# WEBSRV_PROBE(NAME, MODULE): what only the tests need; have_NAME is yes or no.
AC_DEFUN([WEBSRV_PROBE], [
  AC_MSG_CHECKING([for $2 (tests)])
  have_$1=no
  AS_IF(["$PKG_CONFIG" --exists "$2"],
        [$1_CFLAGS=`"$PKG_CONFIG" --cflags "$2"`
         $1_LIBS=`"$PKG_CONFIG" --libs "$2"`
         have_$1=yes])
  AC_SUBST([$1_CFLAGS])
  AC_SUBST([$1_LIBS])
  AC_MSG_RESULT([[$]have_$1])
])

# WEBSRV_TEST_LIBRARY(NAME, MODULE, DEBIAN-PACKAGE): without it there are no unit tests.
AC_DEFUN([WEBSRV_TEST_LIBRARY], [
  WEBSRV_PROBE([$1], [$2])
  AS_IF([test "x[$]have_$1" = xyes],
        [AS_IF([test -z "$summary_tests"], [summary_tests=yes])],
        [summary_tests="no: $2 is missing; Debian: apt-get install $3"])
])

AC_DEFUN([WEBSRV_WARNINGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [make warnings errors])])
  WARNING_CFLAGS="-Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wvla"
  AS_IF([test "x$enable_werror" = xyes], [WARNING_CFLAGS="$WARNING_CFLAGS -Werror"])
  AC_SUBST([WARNING_CFLAGS])
])

# WEBSRV_TRY_FLAG(VARIABLE, FLAG, LINK): adds FLAG to VARIABLE when the compiler takes it.
AC_DEFUN([WEBSRV_TRY_FLAG], [
  AC_MSG_CHECKING([whether $CC takes $2])
  websrv_cflags=$CFLAGS
  CFLAGS="$CFLAGS -Werror $2"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts("");]])],
    [AC_MSG_RESULT([yes]); $1="[$]$1 $2"], [AC_MSG_RESULT([no])])
  CFLAGS=$websrv_cflags
])

AC_DEFUN([WEBSRV_HARDENING], [
  AC_ARG_ENABLE([hardening],
    [AS_HELP_STRING([--disable-hardening], [no PIE, RELRO, stack protector, FORTIFY])],
    [], [enable_hardening=yes])
  summary_hardening=no
  AS_IF([test "x$enable_hardening" = xyes], [
    summary_hardening="PIE, RELRO, stack protector, FORTIFY"
    WEBSRV_TRY_FLAG([HARDENING_CFLAGS], [-fPIE])
    WEBSRV_TRY_FLAG([HARDENING_LDFLAGS], [-pie])
    WEBSRV_TRY_FLAG([HARDENING_CFLAGS], [-fstack-protector-strong])
    WEBSRV_TRY_FLAG([HARDENING_CFLAGS], [-fstack-clash-protection])
    WEBSRV_TRY_FLAG([HARDENING_LDFLAGS], [-Wl,-z,relro,-z,now])
    WEBSRV_TRY_FLAG([HARDENING_LDFLAGS], [-Wl,-z,noexecstack])
    # FORTIFY does nothing without optimisation and hides from the sanitizers.
    AS_IF([test "x$enable_sanitizers" != xyes],
      [HARDENING_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
  ])
  AC_SUBST([HARDENING_CPPFLAGS])
  AC_SUBST([HARDENING_CFLAGS])
  AC_SUBST([HARDENING_LDFLAGS])
])

AC_DEFUN([WEBSRV_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers], [AddressSanitizer and UBSan])],
    [], [enable_sanitizers=no])
  AS_IF([test "x$enable_sanitizers" = xyes],
    [SANITIZER_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"])
  AC_SUBST([SANITIZER_CFLAGS])
])

AC_DEFUN([WEBSRV_FUZZING], [
  AC_ARG_ENABLE([fuzzing],
    [AS_HELP_STRING([--enable-fuzzing], [build the libFuzzer targets; needs CC=clang])],
    [], [enable_fuzzing=no])
  AS_IF([test "x$enable_fuzzing" = xyes], [
    AC_MSG_CHECKING([for libFuzzer])
    websrv_cflags=$CFLAGS
    CFLAGS="$CFLAGS -fsanitize=fuzzer"
    AC_LINK_IFELSE([AC_LANG_SOURCE([[
        #include <stddef.h>
        #include <stdint.h>
        int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) { return p == 0 && n == 1; }]])],
      [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([--enable-fuzzing needs clang with its runtime; use CC=clang; Debian: apt-get install clang libclang-rt-14-dev])])
    CFLAGS=$websrv_cflags
    FUZZING_CFLAGS="-fsanitize=fuzzer-no-link"
  ])
  AC_SUBST([FUZZING_CFLAGS])
  AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
])
