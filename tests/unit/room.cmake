foreach(part away bucket former host hub journal model role room spoken state state_model)
    lsig_unit_test(room_${part} lsig_room)
endforeach()
