import type { Context, Rpc } from "./context.ts";
import { batchGetUsers } from "./handlers/batch-get-users.ts";
import { changePassword } from "./handlers/change-password.ts";
import { checkSession } from "./handlers/check-session.ts";
import { deleteMe } from "./handlers/delete-me.ts";
import { endAllSessions } from "./handlers/end-all-sessions.ts";
import { endSession } from "./handlers/end-session.ts";
import { getMe } from "./handlers/get-me.ts";
import { getUserByUsername } from "./handlers/get-user-by-username.ts";
import { getUser } from "./handlers/get-user.ts";
import { listSessions } from "./handlers/list-sessions.ts";
import { login } from "./handlers/login.ts";
import { logout } from "./handlers/logout.ts";
import { refresh } from "./handlers/refresh.ts";
import { register } from "./handlers/register.ts";
import { updateMe } from "./handlers/update-me.ts";
import { watchRevocations } from "./handlers/watch-revocations.ts";

/** Every rpc of UserService over one context. */
export function createHandlers(context: Context): Rpc {
  return {
    register: register(context),
    login: login(context),
    refresh: refresh(context),
    logout: logout(context),
    getMe: getMe(context),
    updateMe: updateMe(context),
    deleteMe: deleteMe(context),
    changePassword: changePassword(context),
    listSessions: listSessions(context),
    endSession: endSession(context),
    endAllSessions: endAllSessions(context),
    getUser: getUser(context),
    batchGetUsers: batchGetUsers(context),
    getUserByUsername: getUserByUsername(context),
    watchRevocations: watchRevocations(context),
    checkSession: checkSession(context),
  };
}
