import type { Context, Rpc } from "./context.ts";
import { batchGetUsers } from "./handlers/batch-get-users.ts";
import { changePassword } from "./handlers/change-password.ts";
import { checkSession } from "./handlers/check-session.ts";
import { completeLogin } from "./handlers/complete-login.ts";
import { changeEmail } from "./handlers/change-email.ts";
import { requestEmailVerification } from "./handlers/request-email-verification.ts";
import { confirmEmailVerification } from "./handlers/confirm-email-verification.ts";
import { requestPasswordReset } from "./handlers/request-password-reset.ts";
import { confirmPasswordReset } from "./handlers/confirm-password-reset.ts";
import { enrolSecondFactor } from "./handlers/enrol-second-factor.ts";
import { confirmSecondFactor } from "./handlers/confirm-second-factor.ts";
import { showPassword } from "./handlers/show-password.ts";
import { showSecondFactor } from "./handlers/show-second-factor.ts";
import { disableSecondFactor } from "./handlers/disable-second-factor.ts";
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
    completeLogin: completeLogin(context),
    changeEmail: changeEmail(context),
    requestEmailVerification: requestEmailVerification(context),
    confirmEmailVerification: confirmEmailVerification(context),
    requestPasswordReset: requestPasswordReset(context),
    confirmPasswordReset: confirmPasswordReset(context),
    enrolSecondFactor: enrolSecondFactor(context),
    confirmSecondFactor: confirmSecondFactor(context),
    showPassword: showPassword(context),
    showSecondFactor: showSecondFactor(context),
    disableSecondFactor: disableSecondFactor(context),
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
