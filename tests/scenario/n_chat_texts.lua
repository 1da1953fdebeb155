-- Chat texts lose what is really a tag, and control characters; everything else stays as it was written.
local sig = require "lunasig"
local scene = require "scene"
sig.use { "std.presence", "std.chat" }

local function becomes(t, pairs_of_texts)
  local ann, bob = scene.call(t, "ann", "bob")
  for _, pair in ipairs(pairs_of_texts) do
    ann:sends("chat-message", { content = pair[1] })
    bob:receives("chat-message", t.exactly { content = pair[2] or pair[1] })
  end
end

sig.test("harmless texts stay", function(t)
  becomes(t, {
    { "a < b and c > d" },
    { "if (a<2 && b>3) x <<= 1; y >> 2" },
    { "I <3 you, <- really ->, <=>" },
    { "tom & jerry &amp; \"quotes\" 'too' javascript: onload= 100%" },
    { "two\nlines\tand a tab\r\n" },
    { "Grüße, 你好, مرحبا, 👩‍👩‍👧 é" },
    { "<" },
    { "" },
    { "   " },
  })
end)

sig.test("tags go, and what stands between them stays", function(t)
  becomes(t, {
    { "<script>alert(1)</script>", "alert(1)" },
    { "hi <b>there</b><!-- x -->!", "hi there!" },
    { "<IMG SRC=x onerror=alert(1)>ok", "ok" },
    { "<<script>script>alert(1)<</script>/script>", "script>alert(1)/script>" },
    { "<scr<b>ipt>x", "script>x" },
    { "1 <img src=x onerror=alert(1) ", "1 img src=x onerror=alert(1) " },
    { "a <b", "a b" },
    { "</", "/" },
    { "<\1script>x", "x" },
    { "<\127b>x<\194\133/b>", "x" },
  })
end)

sig.test("control characters go", function(t)
  becomes(t, { { "a\1b\27[31mc\127d\194\155e", "ab[31mcde" } })
end)
