foreach(name body buf clock log map status)
    lsig_unit_test(base_${name} lsig_base)
endforeach()
