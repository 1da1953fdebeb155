// version.h - the version of the JSON library in use.
#pragma once

const char *lsig_version_jansson(void); // static text
