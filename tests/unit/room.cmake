foreach(part away bucket former host hub model role room spoken)
    lsig_unit_test(room_${part} lsig_room)
endforeach()
