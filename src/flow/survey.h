// survey.h - answers what policies ask about the whole server (script/survey.h).
#pragma once

#include "script/survey.h"

extern const struct lsig_survey lsig_survey_of_flow; // self: the flow
