// command_new.h - what `lunasig new policy` writes.
#pragma once

// The text of policy.lua, in which '@' stands for the name of the policy.
extern const char lsig_command_new_policy[];
