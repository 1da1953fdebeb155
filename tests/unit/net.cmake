foreach(part address metrics_text origin outbox page request_head)
    lsig_unit_test(net_${part} lsig_net)
endforeach()
