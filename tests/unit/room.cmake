foreach(part away bucket former host hub journal kept member_name model props ranking role room spoken state state_model timers waiting)
    lsig_unit_test(room_${part} lsig_room)
endforeach()
