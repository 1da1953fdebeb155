foreach(name envelope frame json rate_spec refusal scan scan_read schema webhook_secret)
    lsig_unit_test(codec_${name} lsig_codec)
endforeach()
