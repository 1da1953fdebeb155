foreach(name body buf clock heap log map metric_table status)
    lsig_unit_test(base_${name} lsig_base)
endforeach()
