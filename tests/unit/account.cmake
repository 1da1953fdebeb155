foreach(name flow_account flow_account_login)
    lsig_unit_test(${name} lsig_flow PkgConfig::LIBUV)
    target_sources(test_${name} PRIVATE account_fixture.c)
endforeach()
