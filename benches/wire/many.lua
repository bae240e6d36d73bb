-- Everybody in turn: each line of the file is one user's cookie.
local requests = {}
local at = 0
function init(arguments)
  for cookie in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("GET", nil, { ["Cookie"] = cookie, ["Accept-Encoding"] = "gzip, deflate, br, zstd" })
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
