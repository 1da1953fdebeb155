foreach(part sandbox hooks)
    lsig_unit_test(script_${part} lsig_script PkgConfig::LIBUV PkgConfig::LUAJIT)
endforeach()
